"""Why the gateway adds nobody to a mail, or no words, in the languages of the notices; its log says it in
English. Pure."""

from __future__ import annotations

from collections.abc import Mapping

WHY: Mapping[str, Mapping[str, str]] = {
    "de": {
        "sealed": "die Mail ist signiert oder verschlüsselt und darf nicht verändert werden",
        "unknown": "niemand kennt die Adresse",
        "unreadable": "die Mail konnte nicht gelesen werden",
        "refused": "der Kopf der Mail oder der Mailserver lässt es nicht zu",
        "covered": "eine Signatur oder Prüfsumme gilt für ihren Text",
        "differing": "Text und HTML sagen nicht dasselbe",
        "wordless": "es stehen keine eigenen Worte darin",
        "scattered": "es ist nicht klar, wo deine Worte enden",
        "encoding": "ihr Text ist so kodiert, dass er nicht sicher zu ändern ist",
    },
    "fr": {
        "sealed": "le message est signé ou chiffré et ne doit pas être modifié",
        "unknown": "personne ne connaît l'adresse",
        "unreadable": "le message n'a pas pu être lu",
        "refused": "l'en-tête du message ou le serveur ne le permet pas",
        "covered": "une signature ou une somme de contrôle couvre son texte",
        "differing": "le texte simple et le HTML ne disent pas la même chose",
        "wordless": "il ne contient pas de mots de l'expéditeur",
        "scattered": "on ne voit pas clairement où finissent les mots de l'expéditeur",
        "encoding": "son texte est codé d'une façon qui ne se modifie pas sûrement",
    },
    "es": {
        "sealed": "el mensaje está firmado o cifrado y no se puede modificar",
        "unknown": "nadie conoce la dirección",
        "unreadable": "el mensaje no se pudo leer",
        "refused": "la cabecera del mensaje o el servidor no lo permite",
        "covered": "una firma o una suma de control cubre su texto",
        "differing": "el texto simple y el HTML no dicen lo mismo",
        "wordless": "no contiene palabras propias del remitente",
        "scattered": "no está claro dónde acaban las palabras del remitente",
        "encoding": "su texto está codificado de un modo que no se puede cambiar con seguridad",
    },
    "pt": {
        "sealed": "a mensagem está assinada ou cifrada e não pode ser alterada",
        "unknown": "ninguém sabe o endereço",
        "unreadable": "não foi possível ler a mensagem",
        "refused": "o cabeçalho da mensagem ou o servidor não o permite",
        "covered": "uma assinatura ou soma de verificação cobre o seu texto",
        "differing": "o texto simples e o HTML não dizem o mesmo",
        "wordless": "não contém palavras do próprio remetente",
        "scattered": "não é claro onde acabam as palavras do remetente",
        "encoding": "o seu texto está codificado de um modo que não se pode alterar com segurança",
    },
    "it": {
        "sealed": "il messaggio è firmato o cifrato e non va modificato",
        "unknown": "nessuno conosce l'indirizzo",
        "unreadable": "il messaggio non si è potuto leggere",
        "refused": "l'intestazione del messaggio o il server non lo permette",
        "covered": "una firma o una somma di controllo copre il testo",
        "differing": "il testo semplice e l'HTML non dicono la stessa cosa",
        "wordless": "non contiene parole proprie del mittente",
        "scattered": "non è chiaro dove finiscono le parole del mittente",
        "encoding": "il testo è codificato in un modo che non si può modificare con sicurezza",
    },
    "nl": {
        "sealed": "het bericht is ondertekend of versleuteld en mag niet worden gewijzigd",
        "unknown": "niemand kent het adres",
        "unreadable": "het bericht kon niet worden gelezen",
        "refused": "de kop van het bericht of de mailserver laat het niet toe",
        "covered": "een handtekening of controlegetal geldt voor de tekst",
        "differing": "de platte tekst en de HTML zeggen niet hetzelfde",
        "wordless": "er staan geen eigen woorden van de afzender in",
        "scattered": "het is niet duidelijk waar de woorden van de afzender eindigen",
        "encoding": "de tekst is zo gecodeerd dat hij niet veilig te wijzigen is",
    },
}
"""language -> clause (`gateway.policy.guard.CLAUSES`; "refused" where it was tried) or obstacle
(`gateway.mail.amend.OBSTACLES`) -> the end of a sentence."""


def why_in(lang: str, clause: str, english: str) -> str:
    """The reason in this language, in English where it has none for it."""
    return WHY.get(lang.lower().partition("-")[0], {}).get(clause, english)

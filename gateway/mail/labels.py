"""The words with which mail clients head quoted mail, by locale.

Outlook (desktop, web, Mac, mobile), Gmail, Thunderbird, Apple Mail, Yahoo, Notes and others, as their localised
versions write them.
All lower case; a colon and marks of emphasis are taken off before looking up.
"""

from __future__ import annotations

from gateway.mail.phrases import phrases, small

FIELDS = ("from", "date", "to", "cc", "subject", "other")

# locale: from | date | to | cc | subject | other
_TABLE: dict[str, tuple[str, str, str, str, str, str]] = {
    "en": (
        "from, sender",
        "sent, date, sent on, sent at, date sent",
        "to, recipient, recipients",
        "cc, c.c",
        "subject",
        "bcc, reply-to, reply to, sent by, importance, priority, attachments, attachment, please respond to,"
        " message-id, organization, newsgroups, resent-from, resent-to, mailed-by, signed-by, posted at,"
        " posted to, conversation,"
        " categories, when, where",
    ),
    "bg": ("от", "изпратено, дата", "до", "копие, як", "относно, тема", ""),
    "ca": ("de", "enviat, data, enviat el", "per a, a", "a/c, còpia", "assumpte", ""),
    "cs": (
        "od, odesílatel, odesilatel",
        "odesláno, datum, posláno, odeslána",
        "komu, pro, příjemce, adresát",
        "kopie, kopie pro",
        "předmět, věc",
        "skrytá kopie, odpovědět, důležitost, přílohy, odpověď komu",
    ),
    "da": (
        "fra, afsender",
        "sendt, dato, afsendt, sendt den",
        "til, modtager",
        "kopi",
        "emne, vedr",
        "svar til, prioritet, vedhæftede filer",
    ),
    "de": (
        "von, absender, from",
        "gesendet, datum, gesendet am, gesendet um, verschickt, date, sent",
        "an, empfänger, to",
        "kopie, kopie an, cc an",
        "betreff, betrifft, betr., thema, subject",
        "antwort an, antworten an, blindkopie, priorität, wichtigkeit, anlagen, anhänge, gesendet von, organisation,"
        " bitte antwort an",
    ),
    "el": ("από", "στάλθηκε, ημερομηνία, εστάλη", "προς", "κοιν, κοινοποίηση", "θέμα", ""),
    "es": (
        "de, remitente",
        "enviado, fecha, enviado el, enviada, enviada el",
        "para, a, destinatario",
        "copia, c.c, con copia",
        "asunto, tema",
        "cco, responder a, importancia, datos adjuntos, enviado por, bcc",
    ),
    "et": (
        "saatja, kellelt",
        "saadetud, kuupäev, saatmise aeg, saatmisaeg",
        "kellele, saaja, adressaat",
        "koopia, koopia saaja",
        "teema",
        "vastus",
    ),
    "fi": (
        "lähettäjä, keneltä",
        "lähetetty, päivämäärä, pvm, päiväys, aika, lähetysaika",
        "vastaanottaja, vastaanottajat, kenelle, saaja",
        "kopio, kopiot",
        "aihe, otsikko",
        "vastausosoite, tärkeys, liitteet, piilokopio",
    ),
    "fr": (
        "de, expéditeur, expediteur, émetteur, from",
        "envoyé, date, envoyé le, envoyée, date d'envoi, transmis le, sent",
        "à, a, pour, destinataire, destinataires, to",
        "copie à, copie, cc à, copie(s) à",
        "objet, sujet, subject",
        "cci, répondre à, répondre a, importance, pièces jointes, envoyé par, organisation, priorité",
    ),
    "hr": (
        "od, šalje, pošiljatelj, pošiljalac",
        "poslano, datum, poslano dana, poslato",
        "za, prima, primatelj, kome, do",
        "kopija, preslika, kopija za",
        "predmet, naslov, tema",
        "odgovori na, odgovor na, važnost, prilozi",
    ),
    "hu": (
        "feladó, küldő",
        "elküldve, küldve, dátum, küldés dátuma, küldés ideje, elküldés dátuma, dátum/idő",
        "címzett, címzettek",
        "másolatot kap, másolat, másolat címzettje, másolatot kapnak",
        "tárgy",
        "titkos másolat, válaszcím, fontosság, mellékletek, válasz",
    ),
    "it": (
        "da, mittente",
        "inviato, data, inviato il, inviata, date",
        "a, per, destinatario, destinatari",
        "copia, cc a, p.c, copia per conoscenza",
        "oggetto, ogg",
        "ccn, rispondi a, priorità, allegati, inviato da",
    ),
    "ja": (
        "差出人, 送信者, 送信元, from",
        "送信日時, 日時, 日付, 送信日, 送信, date",
        "宛先, 受信者, 送信先, to",
        "cc, 写し",
        "件名, 題名, タイトル, 標題",
        "bcc, 返信先, 重要度, 添付ファイル",
    ),
    "ko": ("보낸 사람, 보낸사람", "보낸 날짜, 날짜, 보낸 시간, 보낸날짜", "받는 사람, 받는사람", "참조", "제목", ""),
    "nl": (
        "van, afzender",
        "verzonden, datum, verzonden op, verstuurd",
        "aan, geadresseerde, naar",
        "kopie, kopie aan",
        "onderwerp, betreft",
        "bcc, antwoord aan, antwoorden aan, urgentie, bijlagen, prioriteit, beantwoorden",
    ),
    "no": (
        "fra, avsender",
        "sendt, dato, date",
        "til, mottaker",
        "kopi, kopi til",
        "emne",
        "svar til, viktighet, vedlegg, prioritet",
    ),
    "pl": (
        "od, nadawca, od kogo",
        "wysłano, data, wysłane, data wysłania, wysłany, wysłana",
        "do, odbiorca, adresat",
        "dw, kopia, do wiadomości, kopia do",
        "temat, dotyczy",
        "udw, odpowiedz do, odpowiedź do, ważność, załączniki, priorytet",
    ),
    "pt": (
        "de, remetente",
        "enviado, data, enviada em, enviado em, enviada, date, data de envio",
        "para, a, destinatário",
        "cópia, com cópia, c/c",
        "assunto",
        "cco, bcc, responder a, responder para, importância, anexos, prioridade, enviado por",
    ),
    "ro": (
        "de la, de, expeditor",
        "trimis, data, dată, trimis la, trimisă, trimis pe, data trimiterii",
        "către, catre, pentru, la, destinatar",
        "copie, copie la",
        "subiect, subiectul",
        "răspunde la, răspundeți la, importanță, atașamente",
    ),
    "ru": (
        "от, от кого, отправитель",
        "отправлено, дата, послано, дата отправки, дата и время",
        "кому, получатель, получатели",
        "копия, копии",
        "тема, тема письма",
        "скрытая копия, ответить, обратный адрес, важность, вложения, организация",
    ),
    "sk": (
        "od, odosielateľ, odosielatel",
        "odoslané, dátum, odoslaný, poslané, odoslaná",
        "komu, pre, príjemca, adresát",
        "kópia, kópia pre",
        "predmet, vec",
        "skrytá kópia, odpovedať, dôležitosť, prílohy, odpoveď pre",
    ),
    "sl": ("od, pošiljatelj", "poslano, datum", "za, prejemnik", "kp, kopija", "zadeva", ""),
    "sv": (
        "från, avsändare",
        "skickat, datum, skickad, sänt, skickades",
        "till, mottagare",
        "kopia, kopia till",
        "ämne, ärende",
        "svar till, svara till, prioritet, bifogade filer, bilagor",
    ),
    "tr": (
        "kimden, gönderen, gonderen, kimden gelen",
        "gönderildi, gönderme tarihi, tarih, gönderilme tarihi, gönderim tarihi, gönderim zamanı, gönderildiği tarih",
        "kime, alıcı, alici",
        "bilgi, karbon kopya, kopya",
        "konu",
        "gizli, yanıtla, yanıt adresi, önem, ekler",
    ),
    "uk": (
        "від, від кого, відправник",
        "надіслано, дата, відправлено, дата надсилання, надісланий",
        "кому, одержувач, отримувач, до",
        "копія, копії",
        "тема",
        "прихована копія, відповісти, зворотна адреса, важливість, вкладення",
    ),
    "zh": (
        "发件人, 寄件者, 寄件人, 發件人",
        "发送时间, 日期, 寄件日期, 發送時間, 发送日期, 傳送時間, 时间",
        "收件人, 收件者",
        "抄送, 副本, 抄送人",
        "主题, 主旨, 主題, 標題",
        "密送, 回复",
    ),
}

LABELS: dict[str, dict[str, str]] = {}
"""label -> {locale: field}. "en" goes with every locale: clients mix (Gmail heads "De: … Date: … Subject: …")."""
for _locale, _row in _TABLE.items():
    for _field, _words in zip(FIELDS, _row, strict=True):
        for _word in filter(None, (word.strip() for word in _words.split(","))):
            LABELS.setdefault(small(_word), {}).setdefault(_locale, _field)
LONGEST_LABEL = max(map(len, LABELS))

FORWARD_STEMS = phrases(
    """
    forwarded|forwarding|weitergeleitet|transfér|transfer|înaint|inaint|réexpédi|retransmis|reenviad|rebotad|inoltrat|doorgestuurd|
    doorgezonden|encaminhad|reencaminhad|videresend|vidaresend|vidarebeford|välite|edelleen|przekaz|przesłan|przesyłan|přepos|
    přesl|prepos|továbbít|redirec|transmis|proslije|prosljeđ|edasta|edasisaad|iletil|iletilen|yönlendir|пересла|
    пересыл|переадрес|перенаправ|пересил|препрат|転送|转发|轉寄|전달|προωθ|reenviat|posredovan
    """
)
"""Stems of "forwarded" in a marker: "Begin forwarded message:", "-------- Weitergeleitete Nachricht --------"."""

ANNOUNCEMENTS = frozenset(
    phrases(
        """
    začátek přeposílané zprávy|start på videresendt besked|videresendt meddelelse|anfang der weitergeleiteten nachricht|
    anfang der weitergeleiteten e-mail|begin forwarded message|inicio del mensaje reenviado|välitetty viesti alkaa|
    edelleenlähetetty viesti alkaa|début du message réexpédié|début du message transféré|započni proslijeđenu poruku|
    početak proslijeđene poruke|továbbított levél kezdete|a továbbított üzenet kezdete|inizio messaggio inoltrato|
    転送されたメッセージ|begin doorgestuurd bericht|videresendt melding|start på videresendt melding|
    początek przekazywanej wiadomości|rozpoczęcie przesyłanej dalej wiadomości|início da mensagem reencaminhada|
    início da mensagem encaminhada|începutul mesajului redirecționat|mesajul redirecționat începe|
    начало переадресованного сообщения|начало пересылаемого сообщения|začiatok preposlanej správy|
    vidarebefordrat brev|början på vidarebefordrat meddelande|i̇letilen ileti başlangıcı|iletilen ileti başlangıcı|
    yönlendirilmiş ileti başlangıcı|початок листа, що пересилається|початок переадресованого повідомлення|
    this is a forwarded message|dies ist eine weitergeleitete nachricht
        """
    )
)
"""What clients write above a forwarded mail, word for word: Apple Mail, Yahoo on phones, The Bat!."""

ORIGINAL_STEMS = phrases(
    """
    original|ursprüngliche nachricht|message d'origine|message d’origine|oorspronkelijk|oprindelig|opprinnelig|
    ursprunglig|alkuperäi|oryginaln|původní|pôvodn|eredeti|izvorn|algne|algkiri|özgün|orijinal|исходное|оригинал|
    оригінал|вихідне|початкове|первоначальн|元のメッセージ|元のメール|
    原始邮件|原始郵件|原郵件|原邮件|원본|reply message|αρχικό|izvirno
    """
)
"""Stems of "original message" in a marker such as "-----Original Message-----"."""

FORWARD_SUBJECTS = frozenset(
    phrases(
        """
    fw|fwd|wg|tr|rv|enc|i|doorst|fs|vl|vb|vs|pd|tov|továbbítva|továbbítás|ilt|i̇lt|iletilen|пересл|пересылка|fwded|
    trans|reenv|rif|転送|转发|轉寄|전달|redir|encaminhado|weitergeleitet|vidarebefordrat|videresendt
        """
    )
)
"""Prefixes of the subject of a forwarded mail ("VS:" is an answer in Finnish: told apart by what follows it)."""

VERBS = phrases(
    """
    het volgende geschreven|wiadomość napisana przez|napisana przez|a écrit|ha scritto|ha escrito|wrote|writes|
    schreibt|schrieb folgendes|schrieb|hat geschrieben|folgendes geschrieben|
    geschrieben|escribió|escribio|escribiu|va escriure|scrive|
    escreveu o seguinte|escreveu|schreef|skrev følgende|skrev følgjande|skrev|kirjoitti|napisał(a)|napisał|napisała|
    napisal(a)|napsal(a)|napísal(a)|napísala|napísal|napisala|napisal|pisze|napsala|napsal|ezt írta|írta|a scris|
    şunu yazdı|şunları yazdı|şöyle yazdı|yazdı|yazmış|написал(а)|написала|написал|написав(-ла)|написав(ла)|написав|
    пишет|пише|писал(а)|писал|kirjutas|je napisao/la|je napisala|je napisao|je napisao(la)|napisao/la|napisao je|
    napisala je|napisao|написа|έγραψε|さんは書きました|
    さんが書きました|のメール|のメッセージ|が書きました|書きました|写道|寫道|님이 작성|작성|a écrit le|dit|said|
    zitat von|quoting|citando a|citando|citation de|citazione da|skriver|rašė|rakstīja|je pisal|rakstas
    """
)
"""How clients say "wrote", by locale."""

FILLERS = frozenset(
    phrases(
        """
    on|at|am|um|uhr|vom|den|der|le|à|el|la|a|las|los|lunes|il|giorno|alle|ore|em|às|op|om|heeft|kl|kl.|klo|kello|dne|
    v|w|ve|o|u|に|さん|さんは|さんが|dana|în|pe|ora|nap|időpont|tarihinde|saat|г.|г|р.|р|в|от|time|h|hod|schrieb|skrev|schreef|wrote|
    odesílatel|używytkownik|użytkownik|uživatel|používateľ|korisnik|kasutaja|пользователь|користувач|від|kuupäeval|kell|pm|a.m.|p.m.|gmt|
    utc|cet|cest|est|edt|pst|pdt|mst|mdt|cst|cdt|bst|ist|jst|от:|von|de|da|by|from|kontakt|wiadomość|napisana|przez|
    dniu|godz|užívateľ|időpontban|keltezéssel|dátummal|hat|dia|quoting|zitat|citando|citat|lainaus|-|–|—|,|;|of
        """
    )
)

QUOTING = phrases(
    """
    citeren|cytowanie|mensaje citado por|cituji|idézet|citerar|citerer|siterer|цитирую|цитую
    """
)
"""How Horde begins its attribution lines, with the name and a colon to follow: "Citeren Jill Amory <jill@x>:"."""

REPLY_ABOVE = phrases(
    """
    reply above this line|type your reply above|write above this line|reply above the line|über dieser zeile|
    oberhalb dieser zeile|oberhalb dieser linie|au-dessus de cette ligne|encima de esta línea|arriba de esta línea|
    acima desta linha|sopra questa riga|sopra questa linea|boven deze regel|boven deze lijn|over denne linje|
    ovanför denna rad|tämän rivin yläpuolelle|powyżej tej linii|nad tento řádek|выше этой строки|この行より上
    """
)
"""The line above which ticket systems ask people to write."""

"""What a team answers in an ordinary week: (language, subject, question, answer), nothing of which may be stopped.

Written for this test in native idiom, and labelled before the gateway saw them.
"""

from __future__ import annotations

EXCHANGES: tuple[tuple[str, str, str, str], ...] = (
    (
        "en",
        "Second monitor",
        "Could I have a second monitor for my desk?",
        "Yes, you can. I put one aside for you; it will be on your desk on Thursday morning.",
    ),
    (
        "en",
        "VPN drops",
        "My VPN drops every ten minutes since the update. Can you look at it?",
        (
            "Thanks for the logs. The client you have is too old for the new gateway. Please install 5.2 from"
            " the software centre and restart; that should end it. If it does not, write back and I will look"
            " at your machine."
        ),
    ),
    (
        "en",
        "Password reset",
        "I locked myself out of the HR portal. Can you reset my password?",
        "Done. You will get a mail with a link in the next few minutes; it works for one hour.",
    ),
    (
        "en",
        "Print queue",
        "Is the printer on the third floor working again?",
        "Yes, since nine this morning.",
    ),
    (
        "en",
        "Shared folder",
        "Can I get write access to the Marketing share?",
        (
            "I cannot give you write access myself, because the owner of a share decides who writes there. "
            "For Marketing that is Carla Rossi <carla.rossi@acme.example>; ask her for a yes by mail and I "
            "will set it up the same hour."
        ),
    ),
    (
        "en",
        "Laptop battery",
        "My battery lasts forty minutes. Do I get a new one?",
        (
            "You do. A new one costs us less than a loan machine. Bring the laptop to desk 2.14 any day "
            "before noon, it takes ten minutes."
        ),
    ),
    (
        "en",
        "Licence for Figma",
        "We need a Figma licence for the new designer, who starts on Monday.",
        (
            "Ordered. It usually takes two working days, so she should have it on her first day. I will "
            "confirm when it is there."
        ),
    ),
    (
        "en",
        "Delete old mailbox",
        "Can you delete the mailbox of the old project? Nobody needs it.",
        (
            "Not before June, I am afraid: mailboxes of projects are kept for six months for the auditors. I "
            "have put the deletion in our calendar for 2 June and hidden it from the address book today."
        ),
    ),
    (
        "en",
        "Camera in room 4",
        "The camera in room 4 shows a black picture.",
        (
            "Which of the two cameras is it, the one on the screen or the one on the wall? The wall camera "
            "has a lens cover that cleaning sometimes closes."
        ),
    ),
    (
        "en",
        "Upgrade to 16 GB",
        "May I have more memory in my laptop?",
        (
            "That model cannot take more than it has, the memory is soldered. What I can offer is to bring "
            "your replacement forward from October to July. Will that work for you?"
        ),
    ),
    (
        "en",
        "Outlook search",
        "Outlook finds nothing older than a month. Is that a setting?",
        (
            "It is. File, Options, Search, then Indexing Options and Rebuild. It needs about an hour, and you"
            " can go on working."
        ),
    ),
    (
        "en",
        "Meeting room display",
        "Who do I ask about the display in the meeting room on four?",
        (
            "That is Facilities: facilities@acme.example or extension 4411. Tell them the room and what the "
            "display shows."
        ),
    ),
    (
        "en",
        "Is there an outage?",
        "Is there an outage in the file service at the moment?",
        (
            "No, nothing is down. Your cable was unplugged at the patch panel; it is back in, and you should "
            "be online now."
        ),
    ),
    (
        "en",
        "Old backups",
        "Do I have to do anything about the old backups?",
        "No, nothing more to do. They were moved on Saturday, and I checked that yours are complete.",
    ),
    (
        "en",
        "Phone contract",
        "Why was my phone contract changed?",
        (
            "The provider ended the old one for all of us in April. Your number and your data volume stay as "
            "they are. If you travel outside Europe, tell me first and I will book the right option."
        ),
    ),
    (
        "en",
        "Python on the build host",
        "Can you install Python 3.12 on the build host?",
        "I'll do it tonight after the release, so by tomorrow morning you will have it beside 3.11.",
    ),
    (
        "en",
        "Guest network",
        "How does a visitor get on the guest network?",
        "At reception, with a voucher for a day. If you give me the names I can prepare them beforehand.",
    ),
    (
        "en",
        "Keyboard layout",
        "Could I get a keyboard with a French layout?",
        (
            "We have none left until the delivery on Friday. I have your name on one of those. Until then you"
            " can borrow the one from our test desk if you like."
        ),
    ),
    (
        "en",
        "Mail rule broken",
        "My mail rules do not run any more on the phone.",
        (
            "They do not run on the phone itself, that is right: only rules that run on the server apply "
            "there. I have turned your three rules into server rules, so from now on it works on both."
        ),
    ),
    (
        "en",
        "Ticket 48213",
        "Any news about my ticket?",
        "Yes: the part arrived this morning. I will come by at two and put it in, if that suits you.",
    ),
    (
        "en",
        "Access after hours",
        "Can I get into the lab after eight in the evening?",
        (
            "I am not allowed to decide that, because it is a question of insurance. Security does: write to "
            "security-desk@acme.example, and if it is urgent I will raise it with Priya today."
        ),
    ),
    (
        "en",
        "Spam from a supplier",
        "Can you block the newsletter of this supplier for me?",
        "Blocked for you as of now. If you ever want it back, it is in Settings under Blocked senders.",
    ),
    (
        "en",
        "How many licences",
        "How many licences of the drawing program do we have left?",
        "993.",
    ),
    (
        "en",
        "Did the restore work?",
        "Did the restore of the sales folder work?",
        "Yes, all 412 files are back.",
    ),
    (
        "en",
        "Dark screen",
        "My screen stays dark after lunch. What should I do?",
        (
            "Hold the power key for ten seconds, wait, and start it again. If it stays dark, come to desk "
            "2.14, and I will swap it."
        ),
    ),
    (
        "en",
        "Firmware update",
        "When is the firmware update of the switches?",
        (
            "On Sunday between six and eight in the morning. The network will be away for about ten minutes "
            "in that time."
        ),
    ),
    (
        "en",
        "Big attachment",
        "I cannot send a file of 80 MB to a customer.",
        (
            "Mail stops at 35 MB, and so do most customers' servers. Please put it on the transfer site, "
            "https://transfer.acme.example, which gives you a link to send. It is kept for 14 days."
        ),
    ),
    (
        "en",
        "Headset",
        "Is there a budget for headsets?",
        (
            "There is, up to 120 euro a person. Pick one from the list in the wiki and send me the number; I "
            "order on Fridays."
        ),
    ),
    (
        "en",
        "Double booking",
        "Room 2 is booked twice on Wednesday. Can you sort it out?",
        "I moved the second booking to room 5, which has the same equipment, and told both organisers.",
    ),
    (
        "en",
        "Certificate warning",
        "The intranet shows a certificate warning. May I ignore it?",
        (
            "Please do not ignore it. Your clock is two days behind, and that is why the certificate looks "
            "wrong. Set it to automatic under Date and time and the warning goes away."
        ),
    ),
    (
        "de",
        "Neuer Zugang",
        "Kann Frau Weber Zugriff auf das Laufwerk bekommen?",
        "Ja, ist eingerichtet. Sie muss sich einmal ab- und wieder anmelden, dann sieht sie das Laufwerk.",
    ),
    (
        "de",
        "Drucker im Erdgeschoss",
        "Der Drucker im Erdgeschoss druckt nur noch Streifen.",
        (
            "Danke für das Foto. Die Trommel ist am Ende, eine neue kommt am Mittwoch. Bis dahin bitte den "
            "Drucker im ersten Stock nehmen, er heißt EG-2."
        ),
    ),
    (
        "de",
        "Homeoffice-Bildschirm",
        "Darf ich meinen Bildschirm mit nach Hause nehmen?",
        (
            "Leider nein, weil die Bildschirme zum Arbeitsplatz gehören und so versichert sind. Für zu Hause "
            "können Sie aber einen eigenen bestellen, das Formular steht im Intranet unter Ausstattung."
        ),
    ),
    (
        "de",
        "Rechnung",
        "Warum kam die Rechnung zweimal?",
        (
            "Beim ersten Mal fehlte die Bestellnummer, deshalb die zweite. Gültig ist nur die vom 7. Mai, die"
            " andere ist storniert."
        ),
    ),
    (
        "de",
        "Update heute?",
        "Läuft heute Abend ein Update?",
        "Nein, heute nicht. Das nächste ist am Sonntag von sechs bis acht Uhr.",
    ),
    (
        "de",
        "Telefon klingelt nicht",
        "Mein Telefon klingelt nicht mehr.",
        (
            "Ist am Gerät vielleicht der Mond zu sehen? Das ist die Ruhe-Taste oben links. Wenn nicht, "
            "schauen Sie bitte, ob es unter Einstellungen, Konto noch angemeldet ist, und schreiben Sie mir, "
            "was dort steht."
        ),
    ),
    (
        "de",
        "Schulung",
        "Gibt es noch einen Platz in der Schulung?",
        "Am Dienstag ist alles voll. Am 26. Mai sind noch vier Plätze frei; soll ich Sie eintragen?",
    ),
    (
        "de",
        "Festplatte voll",
        "Meine Festplatte ist voll, was kann ich löschen?",
        (
            "Der Ordner Downloads hat 40 GB, davon sind 35 alte Installationsdateien. Die können weg. Ich "
            "habe Ihnen die Liste auf den Desktop gelegt."
        ),
    ),
    (
        "fr",
        "Accès au portail",
        "Je n'arrive plus à me connecter au portail. Pouvez-vous m'aider ?",
        (
            "Bonjour, votre compte était bloqué après cinq essais. Il est débloqué ; changez votre mot de "
            "passe à la première connexion."
        ),
    ),
    (
        "fr",
        "Imprimante du 2e",
        "L'imprimante du deuxième est-elle réparée ?",
        "Oui, depuis ce matin.",
    ),
    (
        "fr",
        "Nouvel ordinateur",
        "Quand aurai-je mon nouvel ordinateur ?",
        (
            "La livraison a pris du retard chez le fournisseur. Vous l'aurez mardi 19 mai au plus tard ; je "
            "vous apporte une machine de prêt en attendant, si vous voulez."
        ),
    ),
    (
        "fr",
        "Droits d'administrateur",
        "Puis-je avoir les droits d'administrateur sur mon poste ?",
        (
            "Ce n'est pas possible, parce que les postes sont gérés de façon centrale et qu'un poste modifié "
            "ne reçoit plus les correctifs. Dites-moi quel logiciel il vous faut et je l'installe "
            "aujourd'hui."
        ),
    ),
    (
        "fr",
        "Salle de réunion",
        "À qui dois-je demander la clé de la salle 12 ?",
        "À l'accueil, poste 4400. Ils ouvrent à huit heures.",
    ),
    (
        "fr",
        "Sauvegarde",
        "Faut-il que je sauvegarde mes fichiers avant la mise à jour ?",
        "Non, rien à faire de votre côté, tout est sauvegardé chaque nuit.",
    ),
    (
        "es",
        "Acceso a la carpeta",
        "¿Puede darme acceso a la carpeta de Compras?",
        "Ya lo tiene. Cierre la sesión y vuelva a entrar para verla.",
    ),
    (
        "es",
        "Portátil lento",
        "Mi portátil va muy lento desde el lunes.",
        (
            "Gracias por avisar. El antivirus está haciendo un análisis completo, por eso va lento; termina "
            "esta noche. Si mañana sigue igual, lo reviso yo mismo."
        ),
    ),
    (
        "es",
        "Vacaciones de la web",
        "¿Se puede cambiar el horario en la web antes del viernes?",
        (
            "Antes del viernes no podemos, porque la web está congelada por la campaña. El lunes 18 lo "
            "cambiamos a primera hora."
        ),
    ),
    (
        "es",
        "Auriculares",
        "¿Quedan auriculares?",
        "Sí, quedan tres en el armario de la segunda planta.",
    ),
    (
        "es",
        "Factura duplicada",
        "¿Por qué he recibido dos facturas?",
        "La segunda corrige a la primera, que llevaba un CIF equivocado. La buena es la del 7 de mayo.",
    ),
    (
        "pt",
        "Acesso à VPN",
        "Não consigo entrar na VPN desde ontem.",
        ("O seu certificado expirou ontem à noite. Já emiti um novo; abra o programa da VPN e aceite a atualização."),
    ),
    (
        "pt",
        "Monitor",
        "Posso pedir um segundo monitor?",
        "Pode. Deixo-o na sua mesa na quinta-feira de manhã.",
    ),
    (
        "pt",
        "Reunião",
        "A sala 3 está livre na sexta?",
        "Na sexta já está ocupada o dia todo. A sala 5 está livre das 10h às 12h, quer que a reserve?",
    ),
    (
        "it",
        "Stampante",
        "La stampante del secondo piano funziona?",
        "Sì, da stamattina.",
    ),
    (
        "it",
        "Cartella condivisa",
        "Potrei avere accesso alla cartella Vendite?",
        "Ecco fatto, ora può leggere e scrivere. Se non la vede, si disconnetta e rientri.",
    ),
    (
        "it",
        "Aggiornamento",
        "Quando viene aggiornato il gestionale?",
        "Domenica mattina tra le sei e le otto. Lunedì troverà già la nuova versione.",
    ),
    (
        "it",
        "Licenza",
        "È possibile avere la licenza del programma di disegno?",
        (
            "Purtroppo non posso assegnarla adesso, perché le licenze di quest'anno sono finite. Da giugno ne"
            " arrivano venti e la sua è la prima della lista."
        ),
    ),
    (
        "nl",
        "Wachtwoord",
        "Ik ben mijn wachtwoord vergeten, kun je het resetten?",
        "Gedaan. Je krijgt zo een mail met een link die een uur geldig is.",
    ),
    (
        "nl",
        "Printer",
        "Doet de printer op de tweede het weer?",
        "Ja, sinds vanochtend.",
    ),
    (
        "nl",
        "Laptop mee naar huis",
        "Mag ik mijn oude laptop houden?",
        (
            "Dat kan helaas niet, omdat er bedrijfsgegevens op hebben gestaan en we de schijf moeten "
            "vernietigen. Je kunt wel een gewiste laptop overnemen voor 80 euro; zal ik je op de lijst "
            "zetten?"
        ),
    ),
    (
        "nl",
        "Vergaderruimte",
        "Wie gaat er over de beamer in zaal 2?",
        (
            "Dat is Facilities, facilities@acme.example. Zet het zaalnummer erbij, dan zijn ze er meestal "
            "binnen een uur."
        ),
    ),
)

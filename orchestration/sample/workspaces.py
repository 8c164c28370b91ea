"""The five businesses of the sample: their people, channels, habits and names. Data only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class User:
    """Somebody who works there. Days are counted from the sample's first."""

    user_id: str
    user_name: str
    deleted_on_day: int | None = None
    in_directory: bool = True


@dataclass(frozen=True)
class Channel:
    """Where contacts are talked to, and how likely compared with the others."""

    channel_id: str
    channel_name: str
    channel_type: str
    weight: float
    deleted_on_day: int | None = None


@dataclass(frozen=True)
class Source:
    """A source as this business's tools spell it; how likely it adds a contact, or connects one later.

    A source that `brings_a_message` connects the contact as it adds it.
    """

    spelling: str | None
    added: float = 0.0
    connected: float = 0.0
    is_user: bool = False
    brings_a_message: bool = False


Words = Sequence[str]


def _words(text: str) -> Words:
    return text.split()


@dataclass(frozen=True)
class Workspace:
    """A business and its habits."""

    workspace_id: str
    workspace_name: str
    timezone: str
    file_suffix: Literal[".jsonl", ".jsonl.gz", ".csv"]  # of its events
    timestamp_format: str
    timestamps_in_utc: bool
    contacts_a_day: float
    growth: float  # how much larger the business becomes in the long run, as a part of what it was
    weekdays: Sequence[float]  # Monday first
    hours: Sequence[float]  # local
    open_weekdays: frozenset[int]
    open_hours: tuple[int, int]
    contact_ids_from: int
    sources: Sequence[Source]
    import_source: str
    users: Sequence[User]
    channels: Sequence[Channel]
    names: Sequence[tuple[float, Sequence[Words]]]  # weight, and the lists that one word each is taken from
    nicknames: Words
    arrives_by: Literal["events", "report logs", "api"] = "events"


_BRAZILIAN_SURNAMES = _words(
    """
    Silva Santos Machado Figueiredo Pires Azevedo Correia Farias Brandão Siqueira Tavares Yamamoto Cavalcanti
    Magalhães Assunção Ramos Vieira Lopes Duarte Coelho
    """
)
_MALAY_FATHERS = _words("Rahman Ismail Abdullah Hassan Ibrahim Yusof Othman Zainal Salleh Kassim Jaafar Mokhtar")
_TAMIL_FATHERS = _words("Subramaniam Krishnan Raju Maniam Pillai Muniandy Selvam Gopal Balakrishnan")

_AURORA = Workspace(
    workspace_id="aurora",
    workspace_name="Aurora Travel",
    timezone="America/Sao_Paulo",
    file_suffix=".jsonl",
    timestamp_format="%Y-%m-%d %H:%M:%S%z",
    timestamps_in_utc=False,
    contacts_a_day=87,
    growth=0.9,
    weekdays=(1.1, 1.05, 1.0, 1.05, 1.15, 0.95, 0.7),
    hours=(2, 1, 0.4, 0.2, 0.2, 0.4, 1, 2, 4, 6, 7, 7, 6, 6, 7, 7, 7, 6.5, 6.5, 7, 8, 8, 6, 4),
    open_weekdays=frozenset(range(6)),
    open_hours=(9, 19),
    contact_ids_from=214_000_000,
    sources=(
        Source("incoming_message", added=38, connected=22, brings_a_message=True),
        Source("Paid Ads", added=17, brings_a_message=True),
        Source("ctc_ads", added=5, brings_a_message=True),
        Source("user", added=13, connected=58, is_user=True),
        Source("Zapier", added=11, connected=3),
        Source("make", added=4, connected=1),
        Source("api", added=6, connected=4),
        Source("echo_message", added=2, brings_a_message=True),
        Source("Broadcast", connected=12),
        Source("Instagram Lead Form", added=2),
        Source(None, added=2, connected=1),
    ),
    import_source="contact_import",
    users=(
        User("48210", "Camila Nogueira"),
        User("48213", "Rafael Monteiro"),
        User("48217", "Juliana Prado"),
        User("48224", "Thiago Sampaio"),
        User("48229", "Fernanda Queiroz", deleted_on_day=52),
        User("48236", "Diego Fontes"),
        User("48240", "Letícia Amaral"),
        User("48251", "Gustavo Peixoto"),
        User("48266", "Renata Kobayashi"),
        User("48270", "Bruno Vasconcelos"),
        User("48288", "Patrícia Lemos"),
        User("48301", "Caio Bittencourt"),
        User("48317", "Tainá Guimarães"),
        User("48322", "Vinícius Dorneles", deleted_on_day=17),
        User("48340", "Sônia Medeiros"),
        User("48999", "", in_directory=False),
    ),
    channels=(
        Channel("71004", "WhatsApp Vendas", "whatsapp_cloud", 56),
        Channel("71009", "Instagram @auroratravel", "instagram", 24),
        Channel("71015", "Messenger", "facebook", 10),
        Channel("71022", "E-mail Reservas", "email", 6),
        Channel("71031", "Telegram", "telegram", 8, deleted_on_day=45),
    ),
    names=(
        (
            5,
            (
                _words(
                    """
                    Ana Maria Beatriz Larissa Mariana Gabriela Isabela Luana Vitória Bruna Aline Débora
                    Carolina Natália Priscila Raquel Simone Tatiana Yasmin Helena João José Pedro Lucas
                    Mateus Felipe Rodrigo André Marcelo Eduardo Leandro Vítor Otávio Murilo Danilo
                    Henrique Sérgio Cauã Davi Enzo
                    """
                ),
                _words(
                    """
                    Silva Souza Oliveira Santos Lima Pereira Ferreira Costa Rodrigues Almeida Nascimento
                    Carvalho Araújo Ribeiro Gomes Martins Barbosa Rocha Dias Moreira Cardoso Teixeira
                    Conceição Gonçalves Batista Freitas Moura Nunes Tanaka Schneider Rossi
                    """
                ),
            ),
        ),
        (
            2,
            (
                _words("Ana Maria Rosa Luiza Júlia Sandra Cláudia Rita"),
                _words("Paula Eduarda Clara Cecília Fernanda Helena Aparecida Luísa"),
                _BRAZILIAN_SURNAMES,
            ),
        ),
        (
            1.5,
            (
                _words("João José Luís Carlos Paulo Antônio Marcos"),
                _words("Pedro Roberto Henrique Vítor Augusto César Miguel"),
                _BRAZILIAN_SURNAMES,
            ),
        ),
        (
            1.5,
            (
                _words("Adriana Márcia Edson Jorge Wagner Elaine Regina Fábio Lúcia Ivan Rosana Nelson"),
                (
                    "da Silva",
                    "de Souza",
                    "dos Santos",
                    "de Oliveira",
                    "de Jesus",
                    "do Nascimento",
                    "da Costa",
                ),
            ),
        ),
    ),
    nicknames=(
        "Bia ✨",
        "Mãe da Laura",
        "Zé",
        "Dani Viagens",
        "+55 11 90000-4417",
        "Tati 🌻",
        "Nando",
        'Luiz "Lula" Prado',
        "família Rocha",
        "Gui",
    ),
)

_LUMIERE = Workspace(
    workspace_id="lumiere",
    workspace_name="Maison Lumière",
    timezone="Europe/Paris",
    file_suffix=".csv",
    timestamp_format="%Y-%m-%dT%H:%M:%S.%fZ",
    timestamps_in_utc=True,
    contacts_a_day=66,
    growth=0.6,
    weekdays=(0.95, 1.0, 1.05, 1.0, 1.1, 1.3, 0.6),
    hours=(0.6, 0.3, 0.2, 0.1, 0.1, 0.2, 0.6, 1.5, 3, 5, 7, 7.5, 8, 6, 6, 6.5, 7, 7.5, 8, 7, 5, 4, 3, 1.5),
    open_weekdays=frozenset(range(6)),
    open_hours=(10, 19),
    contact_ids_from=96_000_000,
    sources=(
        Source("Message entrant", added=41, connected=24, brings_a_message=True),
        Source("Annonces de click-to-chat", added=12, brings_a_message=True),
        Source("Utilisateur", added=19, connected=61, is_user=True),
        Source("Zapier", added=9, connected=2),
        Source("API développeur", added=7, connected=4),
        Source("Message d'écho", added=3, brings_a_message=True),
        Source("Diffusion", connected=8),
        Source("Borne boutique", added=6),
        Source(None, added=3, connected=1),
    ),
    import_source="Importation des contacts",
    users=(
        User("30518", "Élodie Marchand"),
        User("30522", "Thomas Lefèvre"),
        User("30527", "Inès Benali"),
        User("30531", "Julien Carpentier"),
        User("30540", "Awa Diallo"),
        User("30549", "Margaux Pelletier"),
        User("30556", "Karim Haddad", deleted_on_day=38),
        User("30563", "Chloé Vasseur"),
        User("30571", "Étienne Roussel"),
        User("30580", "Linh Nguyen"),
        User("30594", "Baptiste Garnier"),
        User("30602", "Solène Le Goff"),
        User("30615", "Mathieu d'Aubigny"),
        User("30629", "Fatou Ndiaye"),
        User("30911", "", in_directory=False),
    ),
    channels=(
        Channel("55201", "WhatsApp Boutique", "whatsapp_cloud", 44),
        Channel("55202", "Instagram", "instagram", 27),
        Channel("55207", "Chat du site", "custom_channel", 17),
        Channel("55213", "SMS", "sms", 9, deleted_on_day=56),
    ),
    names=(
        (
            6,
            (
                _words(
                    """
                    Camille Léa Manon Chloé Inès Jade Louise Zoé Juliette Clémence Agathe Maëlle Océane
                    Amélie Hélène Nathalie Sylvie Françoise Aïcha Samira Lucas Hugo Théo Nathan Gaël
                    Antoine Maxime Rémi Benoît Jérôme Frédéric François Loïc Mehdi Yanis Ousmane Jean-Luc
                    Anne-Sophie Marie-Ève
                    """
                ),
                _words(
                    """
                    Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent
                    Lefebvre Michel Garcia David Bertrand Roux Vincent Fournier Morel Girard André Mercier
                    Dupont Lambert Bonnet Faure Benhamou Traoré Nguyen Lemaître Châtelain O'Connor
                    """
                ),
            ),
        ),
        (
            2.5,
            (
                _words(
                    """
                    Dupont, Lefèvre, Rousseau, Bélanger, Masson, Guérin, Besson, Noël, Dumas, Koné, Cissé,
                    Picard,
                    """
                ),
                _words("Élodie Agnès Noémie Cédric Stéphane Gérard Anaïs Raphaël Thérèse Léon Moussa Joëlle"),
            ),
        ),
        (
            1,
            (
                _words("Hélène Pierre Charles Béatrice Guillaume Astrid"),
                ("de Montfort", "de Villiers", "de La Fontaine", "de Rochebrune", "de La Tour", "du Bellay"),
            ),
        ),
        (
            0.7,
            (
                _words("Atelier Maison Galerie Hôtel Cabinet"),
                _words("Roux, Mercier, Saint-Honoré, Valmont, Delacroix,"),
                ("Père & Fils", "Paris", "Lyon 2e", '"Les Écrins"'),
            ),
        ),
    ),
    nicknames=(
        "Mamie Jo",
        "Steph 🌸",
        "Mme Aubert",
        'Jean-Phi, dit "Jipé"',
        "+33 6 00 00 41 82",
        "Lolo",
        "Nico du 11e",
        "M. et Mme Perrin",
    ),
)

_HARBOUR = Workspace(
    workspace_id="harbour",
    workspace_name="Harbour Clinic",
    timezone="Asia/Kuala_Lumpur",
    file_suffix=".jsonl.gz",
    timestamp_format="%Y-%m-%dT%H:%M:%S+08:00",
    timestamps_in_utc=False,
    contacts_a_day=48,
    growth=0.35,
    weekdays=(1.35, 1.15, 1.1, 1.05, 1.0, 0.8, 0.5),
    hours=(0.8, 0.4, 0.2, 0.2, 0.2, 0.5, 1.5, 4, 7, 9, 9, 8, 6, 5, 7, 7, 7, 6, 4.5, 4, 4.5, 4, 3, 1.5),
    open_weekdays=frozenset(range(6)),
    open_hours=(8, 18),
    contact_ids_from=158_000_000,
    sources=(
        Source("INCOMING MESSAGE", added=46, connected=26, brings_a_message=True),
        Source("click-to-chat ads", added=8, brings_a_message=True),
        Source("User", added=24, connected=63, is_user=True),
        Source("Developer API", added=13, connected=5),
        Source("Make", added=5, connected=2),
        Source("Broadcast", connected=4),
        Source(None, added=4, connected=1),
    ),
    import_source="import",
    users=(
        User("62007", "Nur Aisyah Rahman"),
        User("62011", "Tan Wei Ling"),
        User("62018", "Priya Subramaniam"),
        User("62023", "Hafiz Zulkifli"),
        User("62029", "Lim Jia Hui"),
        User("62034", "Siti Khadijah Osman"),
        User("62042", "Arvind Pillai"),
        User("62050", "Grace Ng"),
        User("62058", "Farah Iskandar", deleted_on_day=61),
        User("62066", "Chong Kah Wai"),
        User("62073", "Dayang Melissa Jaya"),
        User("62081", "Kavitha Raman"),
        User("62090", "Azman Yusof", deleted_on_day=24),
        User("62104", "Ong Shu Fen"),
        User("62119", "Muthu Kumar"),
        User("62120", "Jocelyn Anak Bujang"),
        User("62555", "", in_directory=False),
    ),
    channels=(
        Channel("83310", "WhatsApp Appointments", "whatsapp_cloud", 68),
        Channel("83314", "Facebook Page", "facebook", 17),
        Channel("83321", "WeChat", "wechat", 9, deleted_on_day=49),
        Channel("83327", "Front desk e-mail", "email", 8),
        Channel("83335", "Viber", "viber", 4),
    ),
    names=(
        (
            3,
            (
                _words(
                    """
                    Ahmad Muhammad Mohd Amir Faiz Hakim Syafiq Izzat Danial Zulhilmi Khairul Azlan Rizal
                    """
                ),
                ("bin", "Faris bin", "Hadi bin", "Irfan bin"),
                _MALAY_FATHERS,
            ),
        ),
        (
            3,
            (
                ("Nur", "Siti", "Noor", "Puteri", "Wan", "Sharifah"),
                _words("Aisyah Fatimah Izzati Syahirah Amira Hidayah Balqis Nabila Farhana Zulaikha Liyana"),
                ("binti",),
                _MALAY_FATHERS,
            ),
        ),
        (
            4,
            (
                _words("Tan Lim Lee Wong Ng Chong Ong Goh Teoh Yap Chin Low Cheah Ooi Khoo Loh Foo"),
                _words("Wei Mei Jia Kah Shu Xin Hui Chee Yi Siew Kok Zhi Boon Swee"),
                _words("Ling Hao Yen Ming Xuan Wen Hong Shan Keat Fong Qi Jun Leong Ying"),
            ),
        ),
        (
            1,
            (
                _words("Arun Suresh Ganesh Vijay Prakash Dinesh Thinesh Logan Sanjay Ravi"),
                ("a/l",),
                _TAMIL_FATHERS,
            ),
        ),
        (
            1,
            (
                _words("Priya Kavitha Shalini Deepa Thivya Malar Anjali Sangeetha Pavithra Uma"),
                ("a/p",),
                _TAMIL_FATHERS,
            ),
        ),
        (
            0.6,
            (
                _words("Jonathan Melissa Adrian Cynthia Daniel Rachel Marcus Sharon"),
                _words("Tan Lim D'Souza Pereira Wong Fernandez Anthony Jok"),
            ),
        ),
    ),
    nicknames=(
        "Kak Yah",
        "Uncle Lim",
        "陈美玲",
        "Mummy Zara 👶",
        "+60 12-000 7731",
        "Pn. Rohana",
        "Aunty Devi",
        "Bro Faiz",
        "Mr Tan (dental)",
    ),
)

_BERGWERK = Workspace(
    workspace_id="bergwerk",
    workspace_name="Bergwerk Fitness",
    timezone="Europe/Berlin",
    arrives_by="report logs",
    file_suffix=".csv",
    # The wall clock of the workspace, as the page shows it.
    timestamp_format="%Y-%m-%dT%H:%M:%S",
    timestamps_in_utc=False,
    contacts_a_day=15,
    growth=0.5,
    weekdays=(1.4, 1.15, 1.05, 1.0, 0.9, 0.7, 0.8),
    hours=(0.5, 0.3, 0.1, 0.1, 0.2, 0.8, 2, 4, 5, 5, 5, 5, 6, 5, 4, 5, 6, 8, 9, 8, 6, 4, 3, 1.5),
    open_weekdays=frozenset(range(7)),
    open_hours=(7, 21),
    contact_ids_from=301_000_000,
    sources=(
        Source("Incoming Message", added=35, connected=25, brings_a_message=True),
        Source("Paid Ads", added=21, brings_a_message=True),
        Source("User", added=17, connected=56, is_user=True),
        Source("Zapier", added=14, connected=3),
        Source("Developer API", added=5, connected=2),
        Source("Echo Message", added=3, brings_a_message=True),
        Source("Broadcast", connected=9),
        Source(None, added=3, connected=1),
    ),
    import_source="Contact Import",
    users=(
        User("90114", "Annika Vogt"),
        User("90121", "Mehmet Yıldız"),
        User("90127", "Lukas Brandner"),
        User("90133", "Svenja Petersen", deleted_on_day=48),
        User("90140", "Jörg Weißmüller"),
        User("90152", "Paulina Wiśniewska"),
        User("90166", "Till Hagedorn"),
    ),
    channels=(
        Channel("97301", "WhatsApp Studio", "whatsapp_cloud", 61),
        Channel("97305", "Instagram @bergwerk.fitness", "instagram", 26),
        Channel("97311", "E-Mail, Probetraining", "email", 13),
    ),
    names=(
        (
            6,
            (
                _words(
                    """
                    Lena Hannah Sophie Marie Katharina Jana Miriam Greta Änne Gül Jonas Felix Max Moritz Finn Leon
                    Jürgen Günter Björn Sören Emre Can Oleksandr Agnieszka
                    """
                ),
                _words(
                    """
                    Müller Schmidt Schneider Fischer Weber Becker Hoffmann Schäfer Koch Bauer Krüger Hartmann
                    Groß Köhler Yılmaz Demir Kowalski Jäger Böhm Lößnitz
                    """
                ),
            ),
        ),
        (1, (_words("Dr. Prof."), _words("Ute Heinz Karin Uwe"), ("von Arnim", "zu Dohna", "Freiherr von Stein"))),
    ),
    nicknames=(
        "Oma Trudi",
        'Basti "Beast" K.',
        "+49 151 0000 3382",
        "=Kathi=",
        "@leg_day_lutz",
        "-",
        "Firma Dachbau; Herr Lang",
    ),
)

_TUI = Workspace(
    workspace_id="tui",
    workspace_name="Tui Outdoor",
    timezone="Pacific/Auckland",
    arrives_by="api",
    file_suffix=".jsonl",
    timestamp_format="%Y-%m-%dT%H:%M:%S.%fZ",
    timestamps_in_utc=True,
    contacts_a_day=13,
    growth=0.4,
    weekdays=(1.0, 0.95, 0.95, 1.0, 1.05, 1.2, 0.9),
    hours=(0.3, 0.2, 0.1, 0.1, 0.1, 0.4, 1.5, 3, 5, 7, 8, 8, 7, 7, 7, 6, 6, 6, 5, 5, 4, 3, 2, 0.8),
    open_weekdays=frozenset(range(6)),
    open_hours=(9, 18),
    contact_ids_from=407_000_000,
    # The API says of no contact where it came from; webhooks say who sent a message.
    sources=(
        Source("incoming_message", added=64, connected=34, brings_a_message=True),
        Source("user", added=20, connected=50, is_user=True),
        Source("api", added=10, connected=6),
        Source("broadcast", connected=10),
        Source("echo", added=6, brings_a_message=True),
    ),
    import_source="import",
    users=(
        User("66012", "Aroha Ngata"),
        User("66018", "Liam Fairweather"),
        User("66025", "Mele Tupou"),
        User("66031", "Hemi Walker", deleted_on_day=58),
        User("66047", "Charlotte Baines"),
        User("66053", "Wiremu Pōtae"),
    ),
    channels=(
        Channel("44801", "WhatsApp Shop", "whatsapp_cloud", 52),
        Channel("44806", "Facebook", "facebook", 30),
        Channel("44812", "Instagram @tui.outdoor", "instagram", 18),
    ),
    names=(
        (
            3,
            (
                _words(
                    """
                    Olivia Isla Amelia Charlotte Grace Ruby Jack Noah Oliver Leo George Hunter Manaia Anahera Nikau
                    Mia Tāne Aria Kauri Sione Losa Priya Wei
                    """
                ),
                _words(
                    """
                    Smith Wilson Taylor Campbell Thompson Stewart Walker Patel Singh Chen Ngata Parata Tūhoe Hēnare
                    Fa'asavalu MacLeod O'Brien Young
                    """
                ),
            ),
        ),
        (1, (_words("Te Ngā"), _words("Ariki Rangi Whetū Moana"), _words("Rāwiri Tamihana Pōmare Waititi"))),
    ),
    nicknames=("Nana J", "Tramping club 🥾", "+64 21 000 7719", "Uncle Hōne", "Gaz"),
)

SAMPLE_WORKSPACES = (_AURORA, _LUMIERE, _HARBOUR, _BERGWERK, _TUI)

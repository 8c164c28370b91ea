{#-
    How names are searched (contract 6). The name and the searched text are both normalised to plain letters: full case
    folding, canonical decomposition, no U+0300 to U+036F, and some letters without their strokes. DuckDB has neither full
    case folding nor decomposition. `lower(strip_accents())` gives the same result for most letters. The others are listed
    here, from Unicode's CaseFolding and UnicodeData. `tests/unit/test_letters.py` compares every letter with Python.
-#}

{#- The special letters: plain letters, `=`, and all the letters that they replace. -#}
{% macro special_letters() -%}
    ss=ßẞ ae=ÆæǢǣǼǽ oe=Œœ o=ØøǾǿ l=Łł d=Đđ i=ı s=ſẛ σ=ς μ={{ '\u00b5' }} ʼn=ŉ aʾ=ẚ
    ff=ﬀ fi=ﬁ fl=ﬂ ffi=ﬃ ffl=ﬄ st=ﬅﬆ
    β=ϐ θ=ϑ φ=ϕ π=ϖ κ=ϰ ρ=ϱ ε=ϵ αι=ᾀᾁᾂᾃᾄᾅᾆᾇᾈᾉᾊᾋᾌᾍᾎᾏᾲᾳᾴᾷᾼ ηι=ᾐᾑᾒᾓᾔᾕᾖᾗᾘᾙᾚᾛᾜᾝᾞᾟῂῃῄῇῌ
    ωι=ᾠᾡᾢᾣᾤᾥᾦᾧᾨᾩᾪᾫᾬᾭᾮᾯῲῳῴῷῼ
    в=ᲀ д=ᲁ о=ᲂ с=ᲃ т=ᲄᲅ ъ=ᲆ ѣ=ᲇ ꙋ=ᲈ
    եւ=և մն=ﬓ մե=ﬔ մի=ﬕ վն=ﬖ մխ=ﬗ
    が=が ぎ=ぎ ぐ=ぐ げ=げ ご=ご ざ=ざ じ=じ ず=ず ぜ=ぜ ぞ=ぞ だ=だ ぢ=ぢ づ=づ で=で
    ど=ど ば=ば ぱ=ぱ び=び ぴ=ぴ ぶ=ぶ ぷ=ぷ べ=べ ぺ=ぺ ぼ=ぼ ぽ=ぽ ゔ=ゔ ゞ=ゞ ガ=ガ
    ギ=ギ グ=グ ゲ=ゲ ゴ=ゴ ザ=ザ ジ=ジ ズ=ズ ゼ=ゼ ゾ=ゾ ダ=ダ ヂ=ヂ ヅ=ヅ デ=デ ド=ド
    バ=バ パ=パ ビ=ビ ピ=ピ ブ=ブ プ=プ ベ=ベ ペ=ペ ボ=ボ ポ=ポ ヴ=ヴ ヷ=ヷ ヸ=ヸ ヹ=ヹ
    ヺ=ヺ ヾ=ヾ
    آ=آ أ=أ ؤ=ؤ إ=إ ئ=ئ ۀ=ۀ ۂ=ۂ ۓ=ۓ ऩ=ऩ ऱ=ऱ ऴ=ऴ ஔ=ஔ ဦ=ဦ ᬆ=ᬆ
    ᬈ=ᬈ ᬊ=ᬊ ᬌ=ᬌ ᬎ=ᬎ ᬒ=ᬒ 𑂚=𑂚 𑂜=𑂜 𑂫=𑂫
    {{ '\u03b9=\u0345 \u09c7\u09be=\u09cb \u09c7\u09d7=\u09cc \u0b47\u0b56=\u0b48 \u0b47\u0b3e=\u0b4b' }}
    {{ '\u0b47\u0b57=\u0b4c \u0bc6\u0bbe=\u0bca \u0bc7\u0bbe=\u0bcb \u0bc6\u0bd7=\u0bcc \u0c46\u0c56=\u0c48' }}
    {{ '\u0cbf\u0cd5=\u0cc0 \u0cc6\u0cd5=\u0cc7 \u0cc6\u0cd6=\u0cc8 \u0cc6\u0cc2=\u0cca' }}
    {{ '\u0cc6\u0cc2\u0cd5=\u0ccb \u0d46\u0d3e=\u0d4a \u0d47\u0d3e=\u0d4b \u0d46\u0d57=\u0d4c' }}
    {{ '\u0dd9\u0dca=\u0dda \u0dd9\u0dcf=\u0ddc \u0dd9\u0dcf\u0dca=\u0ddd \u0dd9\u0ddf=\u0dde' }}
    {{ '\u1b3a\u1b35=\u1b3b \u1b3c\u1b35=\u1b3d \u1b3e\u1b35=\u1b40 \u1b3f\u1b35=\u1b41 \u1b42\u1b35=\u1b43' }}
    {{ '\U00011131\U00011127=\U0001112e \U00011132\U00011127=\U0001112f \U00011347\U0001133e=\U0001134b' }}
    {{ '\U00011347\U00011357=\U0001134c \U000114b9\U000114ba=\U000114bb \U000114b9\U000114b0=\U000114bc' }}
    {{ '\U000114b9\U000114bd=\U000114be \U000115b8\U000115af=\U000115ba \U000115b9\U000115af=\U000115bb' }}
    {{ '\U00011935\U00011930=\U00011938' }}
{%- endmacro %}

{#-
    The ranges of these letters, their parts and Hangul, for the character class of a regular expression. Ranges keep it
    short: it is compiled with each query.
-#}
{% macro ranges_of_special_letters() -%}
    ÆæǢǣǼǽŒœßẞØøǾǿŁłĐđıςſẛ\x{b5}\x{149}\x{345}\x{3d0}-\x{3f5}\x{587}\x{622}-\x{655}\x{6c0}-\x{6d3}\x{929}-\x{93c}\x{b94}-\x{bd7}\x{1026}-\x{102e}
    {{- '\\x{1100}-\\x{11ff}\\x{1b06}-\\x{1b35}\\x{1c80}-\\x{1c88}\\x{1e9a}\\x{1f80}-\\x{1ffc}\\x{304c}-\\x{30fe}' }}
    {{- '\\x{ac00}-\\x{d7a3}\\x{fb00}-\\x{fb17}\\x{1109a}-\\x{110ba}' }}
{%- endmacro %}

{#-
    Text in plain letters. ASCII is normalised as a whole. So is text without special letters in which `strip_accents`
    removes only accents of letters. Other text is normalised letter by letter. (100,000 names in one thread: 0.01 s for
    ASCII, 0.1 s with accents, 0.5 s letter by letter.)
-#}
{% macro plain_letters(column) -%}
    case
        when {{ is_ascii(column) }} then lower({{ column }})
        when {{ has_marks_alone(column) }} or {{ matches(column, '[' ~ ranges_of_special_letters() ~ ']') }}
            then {{ decomposed_letter_by_letter(column, special_letters()) }}
        else lower({{ without_accents(column) }})
    end
{%- endmacro %}

{#-
    Whether anything of a text is left in plain letters: it is not empty, and not of accents alone. To compare the plain
    letters with '' would double the time that DuckDB needs to bind them (2.5 ms for each report).
-#}
{% macro has_plain_letters(column) -%}
    {{ matches(column, '[^\\x{300}-\\x{344}\\x{346}-\\x{36f}]') }}
{%- endmacro %}

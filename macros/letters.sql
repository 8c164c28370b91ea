{#-
    How a searched text and names are compared (contract 6). Both are brought to plain letters: full case folding, canonical
    decomposition, no U+0300 to U+036F, and some letters without their strokes. DuckDB has neither full case folding nor
    decomposition. `lower(strip_accents())` gives the same for most letters. The others are listed here, after Unicode's
    CaseFolding and UnicodeData. `tests/unit/test_letters.py` compares every letter with Python's.
-#}

{#- What letters become: the plain letters, `=`, and all the letters that become them. -#}
{% macro folded_letters() -%}
    ff=ﬀ fi=ﬁ fl=ﬂ ffi=ﬃ ffl=ﬄ st=ﬅﬆ ʼn=ŉ aʾ=ẚ
    β=ϐ ε=ϵ θ=ϑ κ=ϰ π=ϖ ρ=ϱ φ=ϕ
    в=ᲀ д=ᲁ о=ᲂ с=ᲃ т=ᲄᲅ ъ=ᲆ ѣ=ᲇ ꙋ=ᲈ
    եւ=և մն=ﬓ մե=ﬔ մի=ﬕ վն=ﬖ մխ=ﬗ
{%- endmacro %}

{#- What letters keep besides what `strip_accents` leaves of them: that, `=`, and all the letters that keep it. -#}
{% macro letters_with_parts() -%}
    ι={{ '\u0345' }}ᾀᾁᾂᾃᾄᾅᾆᾇᾈᾉᾊᾋᾌᾍᾎᾏᾐᾑᾒᾓᾔᾕᾖᾗᾘᾙᾚᾛᾜᾝᾞᾟᾠᾡᾢᾣᾤᾥᾦᾧᾨᾩᾪᾫᾬᾭᾮᾯᾲᾳᾴᾷᾼῂῃῄῇῌῲῳῴῷῼ
    {{ '\u0653' }}=آ {{ '\u0654' }}=أؤئۀۂۓ {{ '\u0655' }}=إ
    {{ '\u093c' }}=ऩऱऴ {{ '\u0bd7' }}=ஔ {{ '\u102e' }}=ဦ {{ '\u1b35' }}=ᬆᬈᬊᬌᬎᬒ {{ '\U000110ba' }}=𑂚𑂜𑂫
    {{ '\u3099' }}=がぎぐげござじずぜぞだぢづでどばびぶべぼゔゞガギグゲゴザジズゼゾダヂヅデドバビブベボヴヷヸヹヺヾ
    {{ '\u309a' }}=ぱぴぷぺぽパピプペポ
{%- endmacro %}

{#- Signs of two marks, which `strip_accents` would take away whole: the two, `=`, and the sign. -#}
{% macro signs_of_two_marks() -%}
    {{ '\u09c7\u09be=\u09cb \u09c7\u09d7=\u09cc \u0b47\u0b56=\u0b48 \u0b47\u0b3e=\u0b4b \u0b47\u0b57=\u0b4c' }}
    {{ '\u0bc6\u0bbe=\u0bca \u0bc7\u0bbe=\u0bcb \u0bc6\u0bd7=\u0bcc \u0c46\u0c56=\u0c48 \u0cbf\u0cd5=\u0cc0' }}
    {{ '\u0cc6\u0cd5=\u0cc7 \u0cc6\u0cd6=\u0cc8 \u0cc6\u0cc2=\u0cca \u0cc6\u0cc2\u0cd5=\u0ccb' }}
    {{ '\u0d46\u0d3e=\u0d4a \u0d47\u0d3e=\u0d4b \u0d46\u0d57=\u0d4c \u0dd9\u0dca=\u0dda \u0dd9\u0dcf=\u0ddc' }}
    {{ '\u0dd9\u0dcf\u0dca=\u0ddd \u0dd9\u0ddf=\u0dde \u1b3a\u1b35=\u1b3b \u1b3c\u1b35=\u1b3d' }}
    {{ '\u1b3e\u1b35=\u1b40 \u1b3f\u1b35=\u1b41 \u1b42\u1b35=\u1b43 \U00011131\U00011127=\U0001112e' }}
    {{ '\U00011132\U00011127=\U0001112f \U00011347\U0001133e=\U0001134b \U00011347\U00011357=\U0001134c' }}
    {{ '\U000114b9\U000114ba=\U000114bb \U000114b9\U000114b0=\U000114bc \U000114b9\U000114bd=\U000114be' }}
    {{ '\U000115b8\U000115af=\U000115ba \U000115b9\U000115af=\U000115bb \U00011935\U00011930=\U00011938' }}
{%- endmacro %}

{#-
    Text in plain letters. ASCII is done as a whole, and so is text without anything peculiar. Letter by letter is done
    what has a letter of the two lists, a mark that stands alone, letters of India or Tibet, Hangul, or Hebrew or notes that
    contain marks. (100,000 names in one thread: 0.01 s of ASCII, 0.1 s with accents, 0.2 with strokes, 1.0 letter by letter.)
-#}
{% macro plain_letters(column) -%}
    {%- set folded, with_parts = {}, {} -%}
    {%- for entry in (folded_letters() ~ ' ' ~ signs_of_two_marks()).split() %}{% do folded.update([entry.split('=')]) %}{% endfor -%}
    {%- for entry in letters_with_parts().split() %}{% do with_parts.update([entry.split('=')]) %}{% endfor -%}
    {%- set scripts = '\\x{900}-\\x{fff}\\x{1100}-\\x{11ff}\\x{ac00}-\\x{d7a3}\\x{fb1d}-\\x{fb4e}\\x{1d15e}-\\x{1d1c0}' -%}
    {%- set peculiar = '\\pM' ~ scripts ~ folded.values() | join ~ with_parts.values() | join -%}
    {%- set letters_alone = 'lower(' ~ without_accents(column) ~ ')' -%}
    case
        when {{ is_ascii(column) }} then lower({{ column }})
        when not {{ matches(column, '[ÆæǢǣǼǽŒœßẞØøǾǿŁłĐđıςſẛ\u00b5' ~ peculiar ~ ']') }} then {{ letters_alone }}
        else
            replace(replace(replace(translate(
                case
                    when {{ matches(column, '[' ~ peculiar ~ ']') }}
                        then {{ decomposed_letter_by_letter(column, folded, with_parts) }}
                    else {{ letters_alone }}
                end,
                'øłđıςſ{{ '\u00b5' }}', 'oldiσsμ'
            ), 'æ', 'ae'), 'œ', 'oe'), 'ß', 'ss')
    end
{%- endmacro %}

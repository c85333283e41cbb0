-- Page addresses: what is read from them, and what must not go out with them. Needs normalize.sql.

-- Percent-decoded; as it is where the bytes are no UTF-8, because one bad address must not fail an hour.
create or replace macro percent_decoded(text) as
case when contains(text, '%') then coalesce(try(url_decode(text)), text) else text end;

-- The first non-empty value of a query parameter, which may stand in the fragment too. The name counts in any case;
-- the value's case is kept, and so is a '+': click ids hold no spaces, but what is written in base64 holds pluses.
create or replace macro query_parameter(url, name) as nonempty(
    trimmed_or_empty(
        list_transform(
            [regexp_extract(url, '(?i)[?&#;]' || regexp_escape(name) || '=([^&#]+)', 1)],
            lambda found: percent_decoded(found)
        )[1]
    )
);

-- The address without its user name and password, fragment, and every query value or part of the path that is an
-- e-mail address or a phone number: those that look it, and whatever stands under a name such as email or phone. All
-- else stays byte for byte. Null for what is no http(s) address.
create or replace macro page_url_without_identifiers(url) as nonempty(
    case
        -- Most addresses are plain.
        when
            (starts_with(url, 'https://') or starts_with(url, 'http://'))
            and not regexp_matches(
                url,
                '[^0-9A-Za-z._~/:,?&=;!$()*-]'
                || '|[mM][aA][iI][lL]|[pP][hH][oO]|[tT][eE][lL]|[mM][oO][bB]|[mM][sS][iI]|[wW][hH][aA]|^https?://$'
            )
            then url
        else regexp_replace(
            regexp_replace(
                regexp_replace(
                    regexp_replace(
                        regexp_extract(url, '(?i)^[\p{Z}\p{Cc}\p{Cf}]*(https?://[^\p{Z}\p{C}/?#][^#\p{Cc}]*)', 1),
                        '^([^:]+://)[^/?]*@',
                        '\1'
                    ),
                    -- Under a telling name: email, user_email, customer[phone], phoneNumber, … Here and below, what
                    -- stands in an address inside the address is percent-encoded, as often as it is nested.
                    '(?i)((?:[?&;]|%(?:25)*(?:3F|26))(?:(?:[^=&;]*(?:[_.\[-]|%(?:25)*5B))?'
                    || '(?:e[_-]?mail|mail|phone|tel|telephone|mobile|msisdn|whatsapp)'
                    || '(?:[_-]?(?:address|number|no))?(?:\]|%(?:25)*5D)*|[^=&;]*e-?mail)(?:=|%(?:25)*3D))[^&;]*',
                    '\1',
                    'g'
                ),
                -- An e-mail address anywhere in a value, or in a part of the path.
                '([/?&;](?:[^=&;/?]*=)?)[^&;/?@]+(?:@|%(?:25)*40)[^&;/?]*(?:\.|%(?:25)*2[Ee])'
                || '(?:[A-Za-z]{2}|[^\x00-\x7f]|%(?:25)*[89A-Fa-f])[^&;/?]*',
                '\1',
                'g'
            ),
            -- A value that begins with + or tel: and seven digits.
            '(?i)([?&;](?:[^&;]*(?:=|%(?:25)*3D))?(?:\p{Z}|\+|%(?:25)*20)*)(?:tel(?::|%(?:25)*3A)|\+|%(?:25)*2B)'
            || '(?:(?:[\p{Z}.()/+-]|%(?:25)*(?:2[0-9BDEF]|C2%(?:25)*A0))*[0-9]){7}[^&;]*',
            '\1',
            'g'
        )
    end
);

-- Page addresses: what is read from them, and what must not go out with them. Needs normalize.sql and plaintext.sql.

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

-- The address without its user name and password, fragment, what stands in the query under a name such as email or
-- phone, and every query value or part of the path with plaintext in it (plaintext.sql). All else stays byte for byte.
-- Null for what is no http(s) address, and where plaintext is left of which it cannot be said in which part it stands.
create or replace macro page_url_without_identifiers(url) as nonempty(
    case
        -- Most addresses are plain.
        when
            (starts_with(url, 'https://') or starts_with(url, 'http://'))
            and not regexp_matches(
                url,
                '[^0-9A-Za-z._~/:,?&=;!$()*-]'
                || '|[mM][aA][iI][lL]|[pP][hH][oO]|[tT][eE][lL]|[mM][oO][bB]|[mM][sS][iI]|[wW][hH][aA]|^https?://$'
                || '|&commat|&amp|&period|&plus'
            )
            then url
        else list_transform(
            [regexp_replace(
                regexp_replace(
                    regexp_extract(url, '(?i)^[\p{Z}\p{Cc}\p{Cf}]*(https?://[^\p{Z}\p{C}/?#][^#\p{Cc}]*)', 1),
                    '^([^:]+://)[^/?]*@',
                    '\1'
                ),
                -- Under a telling name: email, user_email, customer[phone], phoneNumber, … What stands in an address
                -- inside the address is percent-encoded, as often as it is nested.
                '(?i)((?:[?&;]|%(?:25)*(?:3F|26))(?:(?:[^=&;]*(?:[_.\[-]|%(?:25)*5B))?'
                || '(?:e[_-]?mail|mail|phone|tel|telephone|mobile|msisdn|whatsapp)'
                || '(?:[_-]?(?:address|number|no))?(?:\]|%(?:25)*5D)*|[^=&;]*e-?mail)(?:=|%(?:25)*3D))[^&;]*',
                '\1',
                'g'
            )],
            lambda named: case
                when looks_like_plaintext(named)
                    then list_filter(
                        list_transform(
                            [array_to_string(
                                list_transform(
                                    regexp_extract_all(named, '[/?&;]?[^/?&;]*'),
                                    lambda part: case
                                        when has_plaintext(part) then regexp_extract(part, '^[/?&;]?(?:[^=]*=)?')
                                        else part
                                    end
                                ),
                                ''
                            )],
                            lambda parted: [parted, regexp_extract(parted, '^[^?&;]*')]
                        )[1],
                        lambda plain: not has_plaintext(plain) and regexp_matches(plain, '(?i)^https?://[^/?]')
                    )[1]
                else named
            end
        )[1]
    end
);

-- Page URLs: their query parameters, and the removal of plaintext. Needs normalize.sql and plaintext.sql.

-- Percent-decoded text; unchanged if the bytes are no UTF-8, because one bad URL must not fail an hour.
create or replace macro percent_decoded(text) as
case when contains(text, '%') then coalesce(try(url_decode(text)), text) else text end;

-- The first non-empty value of a query parameter, which may be in the fragment too. The name may be in any case; the
-- value's case is kept, and so is a '+': click ids have no spaces, but base64 has pluses.
create or replace macro query_parameter(url, name) as null_if_empty(
    trimmed_or_empty(
        list_transform(
            [regexp_extract(url, '(?i)[?&#;]' || regexp_escape(name) || '=([^&#]+)', 1)],
            lambda found: percent_decoded(found)
        )[1]
    )
);

-- A click id as Snap writes it: letters, digits and the marks of base64. What a broken link or a script glued to it is
-- cut off: a second `?`, an `&` in any encoding, a `;`. Null for words that stand for nothing, and for marks that a
-- template did not replace.
create or replace macro snap_click_id(text) as null_if_empty(
    regexp_extract(
        regexp_replace(
            empty_if_blank(text),
            '(?i)(?:[?&;#\s]|%(?:25)*(?:26|3F|3B|23|20)|\\u0026).*$|^(?:true|false)$|^__.*__$',
            ''
        ),
        '^[0-9A-Za-z_-][0-9A-Za-z._~+/=:-]*$'
    )
);

-- The first click id in the queries of several URLs, in their order.
create or replace macro click_id_in(urls) as list_filter(
    flatten(
        list_transform(
            urls,
            lambda url: [
                snap_click_id(query_parameter(url, 'sccid')), snap_click_id(query_parameter(url, 'sclid'))
            ]
        )
    ),
    lambda click_id: click_id is not null
)[1];

-- The URL without user name, password, fragment, query values under names such as email or phone, and query values or
-- parts of the path with plaintext (plaintext.sql). Everything else stays byte for byte. Null if it is no http(s) URL,
-- or if plaintext remains that belongs to no single part.
create or replace macro page_url_without_identifiers(url) as null_if_empty(
    case
        -- Fast path: most URLs have nothing to remove.
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
                -- Names such as email, user_email, customer[phone], phoneNumber, … Inside a nested URL they are
                -- percent-encoded, once for each level.
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

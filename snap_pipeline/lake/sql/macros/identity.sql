-- Identity resolution: ids of people and devices, and the packing of signals in links. Needs normalize.sql and
-- phones.sql.

-- What separates ids in one text: twice, since each match of the pattern below takes one of them.
create or replace macro id_separator() as chr(31) || chr(31);

-- The ids that stand for nobody, such as "guest" or "{{user.id}}", in a text of ids. The pattern is made of the seed
-- placeholder_ids.csv by placeholder_pattern.sql.
create or replace macro placeholders_among(ids) as regexp_extract_all(ids, getvariable('placeholder_pattern'), 1);

-- The id, or null if it is among the placeholders.
create or replace macro real_id(id, placeholders) as case when not list_contains(placeholders, id) then id end;

-- An id that may be stored and sent: an id that is an e-mail address or a phone number is hashed as such.
create or replace macro pseudonym(id) as case
    when contains(id, '@') then coalesce(hashed_email(id), sha256(id))
    when regexp_full_match(id, '\s*(?:\+|00)[0-9][0-9 ().-]{5,}') then coalesce(hashed_phone(id, null), sha256(id))
    else id
end;

-- A number for an id within a workspace, narrower to join by than text: half of an MD5, the same in every DuckDB
-- version.
create or replace macro id_number(workspace, id) as md5_number_lower(workspace || chr(31) || id);

-- The number of a device. It differs from the number of a user id with the same text, which is no sign of that person.
create or replace macro device_number_of(workspace, anonymous_id) as
id_number(workspace || chr(31) || 'device', anonymous_id);

-- The subject of a signal or event: the named person, else on a shared device the person recognized last, else the
-- device's sole owner, else the device itself.
create or replace macro subject_of(named_person, device, recognized_person) as coalesce(
    named_person,
    case when device.is_shared then recognized_person else device.owner_number end,
    device.device_number
);

-- The kinds of values in a link besides e-mail addresses, as bits: wide columns are read only where a value is needed.
create or replace macro kind_bit(kind) as (
    1 << (
        list_position(
            [
                -- [[[cog cog.outl(blocks.kinds()) ]]]
                'ph', 'fn', 'ln', 'ge', 'ct', 'st', 'zp', 'country', 'external_id', 'sc_cookie1'
                -- [[[end]]]
            ],
            kind
        ) - 1
    )
)::usmallint;

create or replace macro has_kind(kinds, kind) as kinds & kind_bit(kind) != 0;

-- The position of a link as one number: the newest link has the greatest, at the same moment the one that landed last.
create or replace macro link_key(file_index, file_row_number, seen_at) as
epoch_us(seen_at)::hugeint * 18446744073709551616 + file_index::hugeint * 1099511627776 + file_row_number;

create or replace macro file_index_of(link_key) as ((link_key & 18446744073709551615) >> 40)::ubigint;

create or replace macro file_row_number_of(link_key) as (link_key & 1099511627775)::bigint;

-- A signal with its time, packed as text: microseconds since 1970, a blank, the content.
create or replace macro timed_signal(signalled_at, content) as epoch_us(signalled_at) || ' ' || content;

create or replace macro signal_time(signal) as make_timestamp(split_part(signal, ' ', 1)::bigint);

create or replace macro signal_text(signal) as substr(signal, strpos(signal, ' ') + 1);

create or replace macro hashed_emails(texts) as
null_if_empty_list(list_filter(list_transform(texts, lambda e: hashed_email(e)), lambda h: h is not null));

create or replace macro hashed_phones(texts, origin) as
null_if_empty_list(
    list_filter(
        case
            when len(texts) = 1
                then [coalesce(given_digest(texts[1]), sha256(quickly_normalized_phone(texts[1], origin)))]
            when texts is not null then list_transform(texts, lambda p: hashed_phone(p, origin))
        end,
        lambda h: h is not null
    )
);

-- The last nine digits of a phone number, without leading zeros. They are the same with or without the country code, if
-- national numbers have at least nine digits.
create or replace macro phone_tail(text) as
ltrim(right(regexp_replace(dialled_digits(text), '[^0-9]+', '', 'g'), 9), '0');

-- The tails under which an international number may be written in its country: after its national prefix too, where
-- that is no zero and the number is short (8 in Lithuania and Turkmenistan), and in Argentina with the 15 of mobile
-- numbers after an area code of two to four digits.
create or replace macro national_phone_tails(number) as list_transform(
    list_filter([1, 2, 3], lambda k: regexp_matches(calling_codes_of_countries(), '[a-z]' || left(number, k) || ' ')),
    lambda k: [
        phone_tail(substr(number, k + 1)),
        case when left(number, k) in ('370', '993') then phone_tail('8' || substr(number, k + 1)) end,
        case when starts_with(number, '549') then phone_tail('15' || substr(number, 6)) end,
        case when starts_with(number, '549') then phone_tail('15' || substr(number, 7)) end,
        case when starts_with(number, '549') then phone_tail(substr(number, 7, 1) || '15' || substr(number, 8)) end
    ]
)[1];

-- All tails that a number may have: as written, and with and without the country code, where it has one or for each
-- calling code.
create or replace macro phone_tails(text, calling_codes) as list_distinct(
    list_concat(
        [phone_tail(text)],
        flatten(
            list_transform(
                calling_codes,
                lambda code: list_transform(
                    [coalesce(normalized_phone(text, nullif(code, '')), '')],
                    lambda number: list_concat(
                        [phone_tail(number)],
                        case
                            when code != '' or regexp_matches(dialled_digits(text), '^(?:\+|00)')
                                then national_phone_tails(number)
                        end
                    )
                )[1]
            )
        )
    )
);

-- The digests by which an event is matched with tombstones: of its ids, e-mail addresses and phone numbers.
create or replace macro tombstone_digests(user_id, previous_id, external_ids, anonymous_id, emails, phones) as
list_concat(
    flatten(
        list_transform(
            list_concat([user_id, previous_id], coalesce(external_ids, [])),
            lambda id: [sha256('user ' || id), case when contains(id, '@') then hashed_email(id) end]
        )
    ),
    list_transform([anonymous_id, previous_id], lambda id: sha256('anonymous ' || id)),
    list_transform(coalesce(emails, []), lambda e: hashed_email(e)),
    flatten(list_transform(coalesce(phones, []), lambda p: [sha256('phone ' || phone_tail(p)), given_digest(p)]))
);

-- The digests by which a link is matched with tombstones.
create or replace macro link_digests(anonymous_id, person, external_id, em, ph) as list_filter(
    list_concat(
        coalesce(string_split(em, ','), []),
        coalesce(string_split(ph, ','), []),
        list_transform(
            list_concat([person], coalesce(string_split(external_id, chr(31)), [])), lambda id: sha256('user ' || id)
        ),
        -- An id that was an e-mail address is stored as its hash already.
        [sha256('anonymous ' || anonymous_id), person, anonymous_id]
    ),
    lambda digest: digest is not null
);

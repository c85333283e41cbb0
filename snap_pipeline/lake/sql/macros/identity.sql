-- Ids by which a person or a device is recognized again. Needs normalize.sql and phones.sql.

-- An id that may be kept and shared: one that is an e-mail address or a phone number is hashed as one.
create or replace macro pseudonym(id) as case
    when contains(id, '@') then coalesce(hashed_email(id), sha256(id))
    when regexp_full_match(id, '\s*(?:\+|00)[0-9][0-9 ().-]{5,}') then coalesce(hashed_phone(id, null), sha256(id))
    else id
end;

-- A number that stands for an id of a workspace, the same in every version of DuckDB: half of an MD5.
create or replace macro id_number(workspace, id) as md5_number_lower(workspace || chr(31) || id);

-- The number of a browser or device. An anonymous id spelled as somebody's user id is no word about that person.
create or replace macro device_number_of(workspace, anonymous_id) as
id_number(workspace || chr(31) || 'device', anonymous_id);

-- Whose something is: the person's who was named, else on a shared device theirs who was recognized last, else the sole
-- owner's, else the device's.
create or replace macro subject_of(named_person, device, recognized_person) as coalesce(
    named_person,
    case when device.is_shared then recognized_person else device.owner_number end,
    device.device_number
);

-- What a link gives besides e-mail addresses, in one number: the wide columns are read only where a value is needed.
create or replace macro kind_bit(kind) as (
    1 << (list_position(['ph', 'fn', 'ln', 'ge', 'ct', 'st', 'zp', 'country', 'external_id', 'sc_cookie1'], kind) - 1)
)::usmallint;

create or replace macro gives(kinds, kind) as kinds & kind_bit(kind) != 0;

-- Where a link stands, as one number: the newest is the greatest, and of one moment the one that landed last.
create or replace macro place_of(file_index, file_row_number, seen_at) as
epoch_us(seen_at)::hugeint * 18446744073709551616 + file_index::hugeint * 1099511627776 + file_row_number;

create or replace macro file_index_of(place) as ((place & 18446744073709551615) >> 40)::ubigint;

create or replace macro file_row_number_of(place) as (place & 1099511627775)::bigint;

-- What was said at some moment, as text: microseconds since 1970, and the word.
create or replace macro moment_and_word(said_at, word) as epoch_us(said_at) || ' ' || word;

create or replace macro moment_of(said) as make_timestamp(split_part(said, ' ', 1)::bigint);

create or replace macro word_of(said) as substr(said, strpos(said, ' ') + 1);

create or replace macro hashed_emails(texts) as
filled(list_filter(list_transform(texts, lambda e: hashed_email(e)), lambda h: h is not null));

create or replace macro hashed_phones(texts, default_calling_code) as
filled(list_filter(list_transform(texts, lambda p: hashed_phone(p, default_calling_code)), lambda h: h is not null));

-- The last nine digits of a phone number, without a zero that is dialled inside the country only. They are the same
-- however the country is written, where national numbers are as long as that.
create or replace macro phone_tail(text) as
ltrim(right(regexp_replace(dialled_digits(text), '[^0-9]+', '', 'g'), 9), '0');

-- The tails that a number may have: as it is, and with and without the country, where a calling code tells it.
create or replace macro phone_tails(text, calling_codes) as list_distinct(
    list_concat(
        [phone_tail(text)],
        flatten(
            list_transform(
                calling_codes,
                lambda code: list_transform(
                    [coalesce(normalized_phone(text, nullif(code, '')), '')],
                    lambda number: [
                        phone_tail(number),
                        case
                            when code != '' and starts_with(number, code)
                                then phone_tail(substr(number, len(code) + 1))
                        end
                    ]
                )[1]
            )
        )
    )
);

-- What a forgotten person is recognized by in an event: an id, an e-mail address or a phone number, each as a digest.
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

-- What a forgotten person is recognized by in a link.
create or replace macro link_digests(anonymous_id, person, external_id, em, ph) as list_filter(
    list_concat(
        coalesce(string_split(em, ','), []),
        coalesce(string_split(ph, ','), []),
        list_transform(
            list_concat([person], coalesce(string_split(external_id, chr(31)), [])), lambda id: sha256('user ' || id)
        ),
        -- The id may be an address, which stands there as its hash.
        [sha256('anonymous ' || anonymous_id), person, anonymous_id]
    ),
    lambda digest: digest is not null
);

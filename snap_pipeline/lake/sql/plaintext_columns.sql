-- The payloads, each with the list of its columns that hold plaintext: text that is not a digest where only digests
-- belong, or an e-mail address or phone number anywhere else. Null in nearly every row; a row with any is never sent.
-- Reads `payloads`. This is the check on conversion_payloads.sql and does not trust it: it searches every column that
-- is not excluded by name. The user agent is excluded: crawlers put their operator's address there, which is no
-- visitor's.
with scanned as (
    select
        *,
        -- Separated by blanks, which no address contains.
        concat_ws(
            ' ',
            *columns(
                * exclude (
                    em, ph,
                    -- [[[cog cog.outl(blocks.digest_columns() + ',') ]]]
                    fn, ln, ge, ct, st, zp, country, first_name_v2, last_name_v2, city_v2,
                    hashed_ip_address, hashed_mobile_ad_id, hashed_idfv,
                    -- [[[end]]]
                    client_user_agent, workspace, event_time, limited_use, value, num_items, predicted_ltv,
                    subject_number
                )
            )
        ) as texts,
        -- One text of all digests: in a small hour, planning a pattern for each takes longer than matching it.
        concat(
            -- [[[cog cog.outl(blocks.digest_columns()) ]]]
            fn, ln, ge, ct, st, zp, country, first_name_v2, last_name_v2, city_v2,
            hashed_ip_address, hashed_mobile_ad_id, hashed_idfv
            -- [[[end]]]
        ) as digests,
        least(
            -- [[[cog cog.outl(blocks.digest_lengths()) ]]]
            strlen(fn), strlen(ln), strlen(ge), strlen(ct), strlen(st), strlen(zp),
            strlen(country), strlen(first_name_v2), strlen(last_name_v2), strlen(city_v2),
            strlen(hashed_ip_address), strlen(hashed_mobile_ad_id), strlen(hashed_idfv)
            -- [[[end]]]
        ) as shortest_digest,
        greatest(
            -- [[[cog cog.outl(blocks.digest_lengths()) ]]]
            strlen(fn), strlen(ln), strlen(ge), strlen(ct), strlen(st), strlen(zp),
            strlen(country), strlen(first_name_v2), strlen(last_name_v2), strlen(city_v2),
            strlen(hashed_ip_address), strlen(hashed_mobile_ad_id), strlen(hashed_idfv)
            -- [[[end]]]
        ) as longest_digest
    from payloads
)

select
    * exclude (texts, digests, shortest_digest, longest_digest),
    case
        when
            has_plaintext(texts)
            or not is_digest(em::varchar)
            or not is_digest(ph::varchar)
            or least(shortest_digest, 64) < 64
            or greatest(longest_digest, 64) > 64
            or ltrim(digests, '0123456789abcdef') <> ''
            then list_transform(
                [to_json(scanned)],
                lambda columns: nullif(
                    list_filter(
                        json_keys(columns),
                        lambda name: case
                            when
                                name in (
                                    -- [[[cog cog.outl(blocks.digest_names()) ]]]
                                    'em', 'ph', 'fn', 'ln', 'ge', 'ct', 'st', 'zp', 'country', 'first_name_v2',
                                    'last_name_v2', 'city_v2', 'hashed_ip_address', 'hashed_mobile_ad_id',
                                    'hashed_idfv'
                                    -- [[[end]]]
                                )
                                then not is_digest(replace(replace(columns ->> name, '","', ', '), '"', ''))
                            when name in ('client_user_agent', 'texts', 'digests') then false
                            else has_plaintext(columns ->> name)
                        end
                    ),
                    []
                )
            )[1]
    end as plaintext
from scanned

-- The payloads, each with the columns in which plaintext stands: text that is no digest where only digests belong, or
-- an e-mail address or phone number anywhere else. Null in nearly every row; a row with any is never sent. Reads
-- `payloads`. What makes the payloads hashes and removes; what stands here does not trust it, and so looks at every
-- column that it does not name. The user agent is sent as the browser told it: crawlers name their operator's address
-- there, which is no visitor's.
with scanned as (
    select
        payloads as payload,
        -- A blank between two values is in no address.
        concat_ws(
            ' ',
            *columns(
                * exclude (
                    em, ph, fn, ln, ge, ct, st, zp, country, first_name_v2, last_name_v2, city_v2,
                    hashed_ip_address, hashed_mobile_ad_id, hashed_idfv,
                    client_user_agent, workspace, event_time, limited_use, value, num_items, predicted_ltv
                )
            )
        ) as texts
    from payloads
)

select
    unnest(payload),
    case
        when
            has_plaintext(texts)
            or not is_digest(payload.em::varchar)
            or not is_digest(payload.ph::varchar)
            or not is_digest(payload.fn)
            or not is_digest(payload.ln)
            or not is_digest(payload.ge)
            or not is_digest(payload.ct)
            or not is_digest(payload.st)
            or not is_digest(payload.zp)
            or not is_digest(payload.country)
            or not is_digest(payload.first_name_v2)
            or not is_digest(payload.last_name_v2)
            or not is_digest(payload.city_v2)
            or not is_digest(payload.hashed_ip_address)
            or not is_digest(payload.hashed_mobile_ad_id)
            or not is_digest(payload.hashed_idfv)
            then list_transform(
                [to_json(payload)],
                lambda columns: nullif(
                    list_filter(
                        json_keys(columns),
                        lambda name: case
                            when
                                name in (
                                    'em', 'ph', 'fn', 'ln', 'ge', 'ct', 'st', 'zp', 'country',
                                    'first_name_v2', 'last_name_v2', 'city_v2',
                                    'hashed_ip_address', 'hashed_mobile_ad_id', 'hashed_idfv'
                                )
                                then not is_digest(replace(replace(columns ->> name, '","', ', '), '"', ''))
                            else name != 'client_user_agent' and has_plaintext(columns ->> name)
                        end
                    ),
                    []
                )
            )[1]
    end as plaintext
from scanned

-- Parameter completeness: the number of the hour's conversions with each parameter, by workspace, event name and
-- conversion type, and the number of them that got it from another event of the person. Reads `conversion_payloads`.
with counted as (
    select
        workspace,
        event_name,
        conversion_type,
        count(*) as events,
        [
            -- [[[cog cog.outl(blocks.parameters()) ]]]
            { 'parameter': 'em', 'present': count(em) },
            { 'parameter': 'ph', 'present': count(ph) },
            { 'parameter': 'fn', 'present': count(fn) },
            { 'parameter': 'ln', 'present': count(ln) },
            { 'parameter': 'ge', 'present': count(ge) },
            { 'parameter': 'ct', 'present': count(ct) },
            { 'parameter': 'st', 'present': count(st) },
            { 'parameter': 'zp', 'present': count(zp) },
            { 'parameter': 'country', 'present': count(country) },
            { 'parameter': 'external_id', 'present': count(external_id) },
            { 'parameter': 'sc_cookie1', 'present': count(sc_cookie1) },
            { 'parameter': 'sc_click_id', 'present': count(sc_click_id) },
            { 'parameter': 'client_ip_address', 'present': count(client_ip_address) },
            { 'parameter': 'client_user_agent', 'present': count(client_user_agent) },
            { 'parameter': 'madid', 'present': count(madid) },
            { 'parameter': 'idfv', 'present': count(idfv) },
            -- [[[end]]]
            {
                'parameter': 'ip_and_user_agent',
                'present': count(*) filter (where client_ip_address is not null and client_user_agent is not null)
            },
            { 'parameter': 'value', 'present': count(value) },
            { 'parameter': 'currency', 'present': count(currency) },
            { 'parameter': 'content_ids', 'present': count(content_ids) },
            { 'parameter': 'order_id', 'present': count(order_id) }
        ] as parameters
    from conversion_payloads
    group by all
),

linked_parameters as (
    select
        workspace,
        event_name,
        conversion_type,
        unnest(linked) as parameter
    from conversion_payloads
),

linked_counts as (
    select
        workspace,
        event_name,
        conversion_type,
        parameter,
        count(*) as linked
    from linked_parameters
    group by all
)

select
    counted.workspace,
    counted.event_name,
    counted.conversion_type,
    entry.parameter as parameter,
    counted.events,
    entry.present as present,
    coalesce(linked_counts.linked, 0) as linked
from counted, unnest(counted.parameters) as entries (entry)
left join linked_counts
    on
        counted.workspace = linked_counts.workspace
        and counted.event_name = linked_counts.event_name
        and counted.conversion_type = linked_counts.conversion_type
        and entry.parameter = linked_counts.parameter
order by counted.workspace, counted.event_name, counted.conversion_type, entry.parameter

-- The number of purchases that share their order id with another one of the same asset, whatever their event ids: Snap
-- counts an order once within 30 days (snap-api.md, section 5). An event that landed in several hours is one purchase.
-- Reads `conversion_payloads` of all hours in question.
with orders as (
    select count(distinct event_id) as purchases
    from conversion_payloads
    where event_name = 'PURCHASE' and order_id is not null
    group by workspace, conversion_type = 'MOBILE_APP', order_id
)

select coalesce(sum(purchases), 0) as purchases
from orders
where purchases > 1

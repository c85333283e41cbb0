-- The state of an order: cancelled, refunded, pending, draft and test orders are no purchase. Needs json.sql and
-- names.sql.

-- Every word for the state of an order in its properties. A flag or a time of cancellation counts as the word for it.
create or replace macro order_statuses_of(properties) as list_transform(
    [
        from_json(
            properties,
            '{
                "status": "VARCHAR", "order_status": "VARCHAR", "orderStatus": "VARCHAR", "order_state": "VARCHAR",
                "orderState": "VARCHAR", "transactionStatus": "VARCHAR", "testOrder": "VARCHAR",
                "isTestOrder": "VARCHAR", "is_pending": "VARCHAR", "isPending": "VARCHAR",
                "is_canceled": "VARCHAR", "isCanceled": "VARCHAR", "canceledAt": "VARCHAR",
                "financial_status": "VARCHAR", "financialStatus": "VARCHAR", "displayFinancialStatus": "VARCHAR",
                "payment_status": "VARCHAR", "paymentStatus": "VARCHAR", "transaction_status": "VARCHAR",
                "test": "VARCHAR", "is_test": "VARCHAR", "isTest": "VARCHAR", "test_order": "VARCHAR",
                "is_test_order": "VARCHAR",
                "draft": "VARCHAR", "is_draft": "VARCHAR", "isDraft": "VARCHAR", "pending": "VARCHAR",
                "refunded": "VARCHAR", "is_refunded": "VARCHAR", "isRefunded": "VARCHAR",
                "cancelled": "VARCHAR", "canceled": "VARCHAR", "is_cancelled": "VARCHAR", "isCancelled": "VARCHAR",
                "cancelled_at": "VARCHAR", "canceled_at": "VARCHAR", "cancelledAt": "VARCHAR"
            }'
        )
    ],
    lambda given: [
        given.status,
        given.order_status,
        given."orderStatus",
        given.order_state,
        given."orderState",
        given.financial_status,
        given."financialStatus",
        given."displayFinancialStatus",
        given.payment_status,
        given."paymentStatus",
        given.transaction_status,
        given."transactionStatus",
        case
            when
                is_affirmed(given.test) or is_affirmed(given.is_test) or is_affirmed(given."isTest")
                or is_affirmed(given.test_order) or is_affirmed(given.is_test_order)
                or is_affirmed(given."testOrder") or is_affirmed(given."isTestOrder")
                then 'test'
        end,
        case
            when is_affirmed(given.draft) or is_affirmed(given.is_draft) or is_affirmed(given."isDraft") then 'draft'
        end,
        case
            when is_affirmed(given.pending) or is_affirmed(given.is_pending) or is_affirmed(given."isPending")
                then 'pending'
        end,
        case
            when is_affirmed(given.refunded) or is_affirmed(given.is_refunded) or is_affirmed(given."isRefunded")
                then 'refunded'
        end,
        case
            when
                is_affirmed(given.cancelled) or is_affirmed(given.canceled)
                or is_affirmed(given.is_cancelled) or is_affirmed(given."isCancelled")
                or is_affirmed(given.is_canceled) or is_affirmed(given."isCanceled")
                or strlen(coalesce(given.cancelled_at, given.canceled_at, given."cancelledAt", given."canceledAt")) > 4
                then 'cancelled'
        end
    ]
)[1];

-- Tells whether one of the words is in the seed order_statuses.csv as one of an order that is not completed, here as
-- the variable `incomplete_order_statuses`. Folded as one text, since a list would compile the expressions for every
-- chunk.
create or replace macro says_incomplete(statuses) as list_has_any(
    string_split(folded_name(array_to_string(statuses, ';')), ';'), getvariable('incomplete_order_statuses')
);

-- A cheap first test, since only the properties that have one of the keys are parsed.
create or replace macro is_incomplete_order(statuses, properties) as
case when statuses is not null then says_incomplete(statuses) else false end
or case
    when
        contains(properties, 'tatus"') or contains(properties, 'r_state"') or contains(properties, 'rState"')
        or contains(properties, 'est"') or contains(properties, 'est_order"') or contains(properties, 'estOrder"')
        or contains(properties, 'raft"') or contains(properties, 'ancel')
        or contains(properties, 'efunded"') or contains(properties, 'ending"')
        then says_incomplete(order_statuses_of(properties))
    else false
end;

-- The events that are conversions, each with what the links know of its person, in event-time order, which all later
-- steps keep; at the same time, in the order in which they landed. Reads `judged_events`, `profiles`.
select
    judged_events.* exclude (reason, file_row_number, profile),
    profiles.linked
from judged_events
left join profiles on judged_events.profile = profiles.subject
where judged_events.reason is null
order by judged_events.event_time, judged_events.file_row_number

-- The week that the report_* models are about: the 168 hours that end with the last closed one.
select
    {{ window_end() }} - interval 168 hour as week_start,
    {{ window_end() }} as week_end

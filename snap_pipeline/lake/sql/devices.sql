-- Conversions, each with what it says of the device, and of a wish for limited use. Reads `baskets` and keeps their
-- order. Rules of platforms, permissions and store ids: macros/devices.sql.
with parsed as (
    select
        *,
        case
            when conversion_type = 'MOBILE_APP'
                then from_json(
                    coalesce(properties, '{}'),
                    '{
                        "app_id": "VARCHAR", "os_name": "VARCHAR", "os_version": "VARCHAR", "device_model": "VARCHAR",
                        "device_type": "VARCHAR",
                        "att_status": "VARCHAR", "attStatus": "VARCHAR", "attTrackingStatus": "VARCHAR",
                        "advertiser_tracking_enabled": "VARCHAR", "ad_tracking_enabled": "VARCHAR",
                        "adTrackingEnabled": "VARCHAR",
                        "cpu_cores": "VARCHAR", "cpuCores": "VARCHAR",
                        "storage": "VARCHAR", "storage_size": "VARCHAR", "storageSize": "VARCHAR",
                        "free_storage": "VARCHAR", "freeStorage": "VARCHAR"
                    }'
                )
        end as device_property
    from baskets
),

described as (
    select
        *,
        case
            when
                coalesce(
                    data_processing,
                    property.data_processing_options,
                    property."dataProcessingOptions",
                    property.data_use
                ) is not null
                then concat_ws(
                    ' ',
                    data_processing,
                    property.data_processing_options,
                    property."dataProcessingOptions",
                    property.data_use
                )
        end as given_data_processing,
        case
            when conversion_type = 'MOBILE_APP'
                then {
                    'platform': device_platform(
                        coalesce(os_name, device_property.os_name),
                        coalesce(device_type, device_property.device_type),
                        user_agent,
                        idfv
                    ),
                    'app_id': coalesce(app_id, device_property.app_id),
                    'att_status': strictest_att_status([
                        att_status,
                        device_property.att_status,
                        device_property."attStatus",
                        device_property."attTrackingStatus"
                    ]),
                    'ad_tracking_enabled': strictest_tracking([
                        ad_tracking_enabled,
                        device_property.advertiser_tracking_enabled,
                        device_property.ad_tracking_enabled,
                        device_property."adTrackingEnabled"
                    ]),
                    'utc_offset': utc_offset_minutes(timezone, event_time)
                }
        end as device
    from parsed
)

select
    *,
    case when given_data_processing is not null then asks_for_limited_use(given_data_processing) end
        as asks_for_limited_use,
    case when device is not null then store_app_id(device.app_id, device.platform) end as given_app_id,
    case when device is not null then is_tracking_authorized(device.att_status) end as att_answer,
    case
        when device is not null then is_tracking_enabled(device.ad_tracking_enabled)
    end as ad_tracking_answer
from described

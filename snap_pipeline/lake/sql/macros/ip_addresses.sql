-- IP addresses: the canonical spelling of public ones, null for all others. Needs no other file.

-- An IPv6 address (lower case) with all eight groups, without leading zeros. Other text gives anything but eight
-- groups.
create or replace macro ipv6_groups(address) as regexp_replace(
    case
        -- ':' stands between groups seven times; '::' hides the groups that are missing.
        when contains(address, '::')
            then replace(
                case when starts_with(address, '::') then '0' else '' end || address
                || case when ends_with(address, '::') then '0' else '' end,
                '::',
                ':' || repeat('0:', 8 - (strlen(address) - strlen(replace(address, ':', ''))))
            )
        else address
    end,
    '(^|:)0+([0-9a-f])',
    '\1\2',
    'g'
);

-- The last two groups of an IPv6 address, written as an IPv4 address, in hexadecimal.
create or replace macro without_dotted_tail(address) as case
    when contains(address, '.')
        then regexp_replace(address, '[^:]*$', '') || list_transform(
            [string_split(regexp_extract(address, '[^:]*$'), '.')],
            lambda octets: printf(
                '%x:%x',
                try_cast(octets[1] as integer) * 256 + try_cast(octets[2] as integer),
                try_cast(octets[3] as integer) * 256 + try_cast(octets[4] as integer)
            )
        )[1]
    else address
end;

-- Eight groups in the form of RFC 5952: the longest run of zero groups, if it is of two or more, becomes '::'.
create or replace macro compressed_ipv6(groups) as case
    when contains(':' || groups, ':0:0')
        then list_transform(
            [{
                'text': ':' || groups,
                -- Of texts that repeat ':0', the greatest is the longest.
                'run': list_max(regexp_extract_all(':' || groups, '(?::0\b){2,}'))
            }],
            lambda found: ltrim(left(found.text, strpos(found.text, found.run) - 1), ':') || '::'
            || ltrim(substr(found.text, strpos(found.text, found.run) + strlen(found.run)), ':')
        )[1]
    else groups
end;

-- The IPv4 address inside a mapped IPv6 address (::ffff:1.2.3.4), of eight groups.
create or replace macro mapped_ipv4(groups) as list_transform(
    [[
        try_cast('0x' || split_part(groups, ':', 7) as integer),
        try_cast('0x' || split_part(groups, ':', 8) as integer)
    ]],
    lambda halves: concat_ws('.', halves[1] // 256, halves[1] % 256, halves[2] // 256, halves[2] % 256)
)[1];

-- An IPv6 address in canonical spelling. Macros that use their argument twice get it from a list, which computes it
-- once.
create or replace macro canonical_ipv6(address) as list_transform(
    list_transform(
        list_transform([address], lambda colons_and_dots: without_dotted_tail(colons_and_dots)),
        lambda colons: regexp_extract(ipv6_groups(colons), '^(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$')
    ),
    lambda groups: case
        when groups = '' then ''
        when starts_with(groups, '0:0:0:0:0:ffff:') then mapped_ipv4(groups)
        else compressed_ipv6(groups)
    end
)[1];

-- An address in canonical spelling, without its port ("1.2.3.4:5678", "[2001:db8::1]:443"); '' if it is malformed.
create or replace macro canonical_ip(text) as regexp_extract(
    regexp_replace(text, '^\s+|(?::[0-9]{1,5})?\s*$', '', 'g'),
    '^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])$'
)
|| case
    when contains(text, ':')
        then canonical_ipv6(
            regexp_extract(
                lower(regexp_replace(text, '^[\s\[]+|\](?::[0-9]{1,5})?\s*$|\s+$', '', 'g')),
                '^(?:[0-9a-f]{0,4}:){2,8}(?:[0-9a-f]{0,4}|(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}'
                || '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9]))$'
            )
        )
    else ''
end;

-- '' for addresses that are not of the public internet: private, shared, loopback, link-local, unspecified,
-- multicast, reserved (RFC 6890). Documentation ranges pass, because the samples use them.
create or replace macro public_ip(address) as regexp_replace(
    address,
    '^(?:(?:0|10|127|22[4-9]|2[345][0-9])\.|100\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.|169\.254\.'
    || '|172\.(?:1[6-9]|2[0-9]|3[01])\.|192\.168\.|198\.1[89]\.|::1?$|f[c-f][0-9a-f]{2}:).*$',
    ''
);

-- The first public address of a list, such as X-Forwarded-For, or of a single address.
create or replace macro ip_address(text) as case
    -- Fast path: most texts are one plain IPv4 address.
    when
        regexp_full_match(
            text,
            '(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
        )
        then nullif(public_ip(text), '')
    else list_filter(
        list_transform(string_split(text, ','), lambda part: public_ip(canonical_ip(part))),
        lambda address: address <> ''
    )[1]
end;

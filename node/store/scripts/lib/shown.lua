-- shown: rooms and sessions as operators see them.

local function transport_of(s)
    local line = s.line or ''
    if line ~= '' then
        return line:sub(1, 1) == 's' and 'stream' or 'websocket'
    end
    return (s.http or '') ~= '' and 'push' or is_away(s) and 'away' or 'none'
end

-- Number and time of the room log's last entry; its beginning when there is none.
local function last_entry(rid, created)
    local last = redis.call('XREVRANGE', key('log', rid), '+', '-', 'COUNT', 1)[1]
    if not last then
        return 0, created
    end
    for i = 1, #last[2], 2 do
        if last[2][i] == 'time' then
            return tonumber(last[1]:sub(3)), tonumber(last[2][i + 1])
        end
    end
    return tonumber(last[1]:sub(3)), created
end

local function members_by_node(rid)
    local counts, shown = {}, {}
    for node, count in pairs(hash(key('rh', rid))) do
        counts[node_id(node)] = (counts[node_id(node)] or 0) + count
    end
    for node, count in pairs(counts) do
        shown[#shown + 1] = node .. ': ' .. text(count)
    end
    table.sort(shown)
    return shown
end

local function show_room(r)
    local created = tonumber(r.created) or now
    local top, spoken = last_entry(r.id, created)
    local fields = { 'room', r.name, 'id', r.id, 'kind', r.kind or '',
        'manager', manager_name(r.manager),
        'members', redis.call('ZCARD', key('m', r.id)), 'limit', r.limit or 0, 'messages', top,
        'kept', redis.call('XLEN', key('log', r.id)), 'created_ms', created, 'age_ms', now - created,
        'idle_ms', math.max(now - spoken, 0) }
    for _, node in ipairs(members_by_node(r.id)) do
        fields[#fields + 1] = 'nodes'
        fields[#fields + 1] = node
    end
    row('Room', unpack(fields))
end

-- Where it was last heard from: its connection's other end, as a proxy says it, or its datagrams'.
local function shown_address(s)
    local is_by_datagrams = not has_line(s) and (s.src or '') ~= ''
    return is_by_datagrams and s.src or s.client_ip or ''
end

local function show_session(s)
    local expiry = redis.call('ZSCORE', key('sessions'), s.uid)
    local name = s.room ~= '' and redis.call('HGET', key('r', s.room), 'name') or ''
    row('Session', 'user', s.name, 'id', s.uid, 'state', s.state, 'room', name,
        'node', node_id(s.home or ''), 'transport', transport_of(s), 'address', shown_address(s),
        'auth', s.auth or '', 'since_ms', s.since or 0, 'expires_in_ms', expiry and expiry - life or 0,
        'waiting', s.wait or '')
end

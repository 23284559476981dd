-- ctl_session_list: the sessions that match, of one node or in one room if asked so, sorted. `node` is the
-- request's here, not the one that asks.
-- with: base top log session room nodes rows shown
local function field_of(uid, field)
    return redis.call('HGET', key('u', uid), field) or ''
end
local function home_of(uid)
    return node_id(field_of(uid, 'home'))
end
local room_names = { [''] = '' }
local function room_of(uid)
    local rid = field_of(uid, 'room')
    room_names[rid] = room_names[rid] or redis.call('HGET', key('r', rid), 'name') or ''
    return room_names[rid]
end
local VALUES = {
    user = false,
    room = room_of,
    node = home_of,
    since = function(uid) return tonumber(field_of(uid, 'since')) or 0 end,
    expires = function(uid) return (redis.call('ZSCORE', key('sessions'), uid) or life) - life end,
}
local sort = (A.sort or '') ~= '' and A.sort or 'user'
if VALUES[sort] == nil then
    return result(ERR.MALFORMED)
end
local among = key('sessions')
if (A.room or '') ~= '' then
    local r = room_named(A.room_key)
    if not r then
        return result(ERR.ROOM_UNKNOWN)
    end
    among = key('m', r.id)
end
local node = A.node ~= '' and node_id(A.node)
return result(ERR.NONE, show_list({
    set = among,
    kind = 'u',
    slice = scanned_of,
    value_of = VALUES[sort],
    is_wanted = node and function(uid) return home_of(uid) == node end,
    show = function(uid) show_session(session(uid)) end,
    reply = 'SessionListReply',
}))

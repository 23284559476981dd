-- ctl_room_list: the rooms that match, sorted.
-- with: base top log session room nodes rows shown
local VALUES = {
    room = false,
    members = function(rid) return redis.call('ZCARD', key('m', rid)) end,
    messages = function(rid) return log_top(rid) end,
    age = function(rid) return now - redis.call('ZSCORE', key('rooms'), rid) end,
    idle = function(rid)
        local _, spoken = last_entry(rid, now)
        return now - spoken
    end,
}
local sort = (A.sort or '') ~= '' and A.sort or 'room'
if VALUES[sort] == nil then
    return result(ERR.MALFORMED)
end
return result(ERR.NONE, show_list({
    set = key('rooms'),
    kind = 'r',
    slice = slice_of,
    value_of = VALUES[sort],
    show = function(rid) show_room(room(rid)) end,
    reply = 'RoomListReply',
}))

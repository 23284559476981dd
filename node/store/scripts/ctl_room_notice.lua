-- ctl_room_notice: an operator's words into the log of a room.
-- with: base top log session room rows steer
local r = room_named(A.room_key)
if not r then
    return result(ERR.ROOM_UNKNOWN)
end
if A.text == '' then
    return result(ERR.MESSAGE_INVALID)
end
local users, names = redis.call('ZCARD', key('m', r.id)), member_names(r.id)
if not is_dry then
    append(r, 'notice', A.actor, A.text, 0)
end
return finish('room_notice', { 'room', 'text' }, {
    did = 'told', would = 'tell', what = counted(users, 'user') .. ' in the room ' .. r.name,
    users = users, rooms = 1, names = names,
})

-- ctl_room_limit: how many a room may have from now on; 0: as many as a new one. Nobody has to leave.
-- with: base top log session room rows steer
local r = room_named(A.room_key)
if not r then
    return result(ERR.ROOM_UNKNOWN)
end
local limit = number_of(A.limit)
limit = limit > 0 and limit or tonumber(A.members_max)
if not is_dry then
    redis.call('HSET', key('r', r.id), 'limit', text(limit))
end
return finish('room_limit', { 'room', 'limit' }, {
    did = 'set', would = 'set', what = 'the limit of the room ' .. r.name .. ' from ' .. (r.limit or '0') .. ' to '
        .. counted(limit, 'member') .. ', ' .. text(redis.call('ZCARD', key('m', r.id))) .. ' are in it',
    rooms = 1, names = { r.name },
})

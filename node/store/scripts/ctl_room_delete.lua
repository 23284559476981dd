-- ctl_room_delete: closes a room, whoever its manager is: all who are in it are told to leave.
-- allow-oom: a room that ends makes room
-- with: base step memory request top log session lists room wait ends rows steer
local r = room_named(A.room_key)
if not r then
    return result(ERR.ROOM_UNKNOWN)
end
local users, names = redis.call('ZCARD', key('m', r.id)), member_names(r.id)
if not is_dry then
    close_room(r)
    changed('rooms')
end
return finish('room_delete', { 'room' }, {
    did = 'deleted', would = 'delete', what = 'the room ' .. r.name .. ' with ' .. counted(users, 'user') .. ' in it',
    users = users, rooms = 1, names = names,
})

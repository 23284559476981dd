-- ctl_room_manager: a member of a room manages it from now on, whoever did before.
-- with: base top log session lists room rows steer
local r = room_named(A.room_key)
if not r then
    return result(ERR.ROOM_UNKNOWN)
end
if r.kind == 'operators' then
    return result(ERR.ROOM_OF_OPERATORS)
end
local peer = session_named(A.user_key)
local refused = refusal_to_manage(r, peer)
if refused then
    return result(refused)
end
if not is_dry and r.manager ~= peer.uid then
    set_manager(r, peer)
end
return finish('room_manager', { 'room', 'user' }, {
    did = 'handed', would = 'hand', what = 'the room ' .. r.name .. ' to ' .. peer.name,
    users = 1, rooms = 1, names = { peer.name },
})

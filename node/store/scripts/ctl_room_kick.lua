-- ctl_room_kick: a member is out of its room at once. Its client is told and not asked; it hears so before its
-- node lets it go, as those do whose room is closed.
-- allow-oom: who leaves makes room
-- with: base step memory request top log session lists room wait ends rows steer
local peer = session_named(A.user_key)
if not peer then
    return result(ERR.PEER_UNKNOWN)
end
local r = room_named(A.room_key)
if not r then
    return result(ERR.ROOM_UNKNOWN)
end
if peer.room ~= r.id then
    return result(ERR.PEER_NOT_MEMBER)
end
if r.manager == peer.uid then
    return result(ERR.PEER_IS_MANAGER)
end
if not is_dry then
    force_out(peer)
    tell_out(peer, r.id, 2)
    leave(peer, r, 'removed')
end
return finish('room_kick', { 'room', 'user' }, {
    did = 'removed', would = 'remove', what = peer.name .. ' from the room ' .. r.name,
    users = 1, rooms = 1, names = { peer.name },
})

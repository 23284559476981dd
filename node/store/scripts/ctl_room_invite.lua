-- ctl_room_invite: asks a user into a room on behalf of the operators. Nobody waits for the answer; it takes
-- effect when it comes.
-- with: base step memory request top log session lists room wait rows steer
local peer = session_named(A.user_key)
if not peer then
    return result(ERR.PEER_UNKNOWN)
end
local r = room_named(A.room_key)
if not r then
    return result(ERR.ROOM_UNKNOWN)
end
local refused = refusal_to_invite(peer, r)
if refused then
    return result(refused)
end
if not is_dry then
    wait_for(peer, 'INVITE', r)
end
return finish('room_invite', { 'room', 'user' }, {
    did = 'asked', would = 'ask', what = peer.name .. ' into the room ' .. r.name,
    users = 1, rooms = 1, names = { peer.name }, state = 'asked',
})

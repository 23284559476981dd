-- remove: REMOVE_USER_FROM_ROOM by the room's manager. The reply comes when the peer has answered.
-- with: base step request top session log lists room wait
local again = repeated()
if again then
    return again
end
local s, refused = speaker()
if not s then
    return result(refused)
end
local peer_uid = redis.call('GET', key('un', A.peer))
local peer = peer_uid and session(peer_uid)
if not peer then
    return done(ERR.PEER_UNKNOWN)
end
local r = room_named(A.room)
if not r then
    return done(ERR.ROOM_UNKNOWN)
end
if s.room == '' then
    return done(ERR.NOT_IN_ROOM)
end
if r.manager ~= s.uid then
    return done(ERR.NOT_MANAGER)
end
if peer.uid == s.uid then
    return done(ERR.PEER_IS_MANAGER)
end
if peer.room ~= r.id then
    return done(ERR.PEER_NOT_MEMBER)
end
if not step(peer, 'REMOVE_USER_ROOM') then
    return done(ERR.PEER_BUSY)
end
wait_for(peer, 'REMOVE', r, r.id)
return done(ERR.WAITING)

-- invite: INVITE_USER_FROM_ROOM by the room's manager. The reply comes when the peer has answered.
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
refused = refusal_to_invite(peer, r)
if refused then
    return done(refused)
end
wait_for(peer, 'INVITE', r, r.name)
return done(ERR.WAITING)

-- remove: REMOVE_USER_FROM_ROOM by the room's manager. The reply comes when the peer has answered.
-- with: base step memory request top log session lists room wait
local again = repeated()
if again then
    return again
end
local s, refused = speaker()
if not s then
    return result(refused)
end
local peer, r = peer_of_manager(s)
if not peer then
    return done(r)
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
wait_for(peer, 'REMOVE', r)
return done(ERR.WAITING)

-- invite: INVITE_USER_FROM_ROOM by the room's manager. The reply comes when the peer has answered.
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
refused = refusal_to_invite(peer, r)
if refused then
    return done(refused)
end
wait_for(peer, 'INVITE', r)
return done(ERR.WAITING)

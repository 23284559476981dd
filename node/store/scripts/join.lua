-- join: JOIN_ROOM by the room's name. A client of the original's kind that does not know that it is in that room
-- is told what it would have been told then.
-- with: base step memory request top log session lists give room wait
local again = repeated()
if again then
    return again
end
local s, refused = speaker()
if not s then
    return result(refused)
end
local r = room_named(A.room_key)
if not r then
    return done(ERR.ROOM_UNKNOWN)
end
if s.room == r.id and is_original(s) then
    place(s)
    reply_here()
    give_all(s)
    return done(ERR.NONE)
end
if s.room ~= '' then
    return done(ERR.IN_ROOM)
end
if is_full(r) and s.wait_room ~= r.id then
    return done(ERR.ROOM_FULL)
end
decline_invitations(s)
steps(s, 'JOIN_ROOM', 'JOIN_ROOM_SUC', 'TO_TALK')
place(s)
reply_here()
enter(s, r, 'joined')
return done(ERR.NONE)

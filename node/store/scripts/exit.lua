-- exit: EXIT_ROOM by the room's name, which must be the one the user is in. A manager hands over; but not one
-- of the original's kind, which believes to stay. A client of that kind that names another room, or is in none,
-- has missed something: it gets OK, and is in none.
-- allow-oom: who leaves makes room
-- with: base step memory request top log session lists room wait ends
local again = repeated()
if again then
    return again
end
local s, refused = speaker()
if not s then
    return result(refusal_to_leave(refused))
end
local r = room_named(A.room_key)
if r and s.room == r.id then
    if r.manager == s.uid and is_original(s) then
        return done(ERR.MANAGER_STAYS)
    end
    reply_here()
    take_out(s, 'left')
    return done(ERR.NONE)
end
if not is_original(s) or manages(s) then
    return done(r and ERR.NOT_IN_ROOM or ERR.ROOM_UNKNOWN)
end
reply_here()
if r and s.wait == 'INVITE' and s.wait_room == r.id then
    place(s)
    settle(s, ERR.PEER_DECLINED)
elseif not is_outdated(s) then
    take_out(s, 'left')
end
return done(ERR.NONE)

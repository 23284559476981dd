-- delete: DELETE_ROOM, by its manager. The members are told to leave before the manager gets OK. A client of the
-- original's kind gets OK also for a room that is gone, or that it has opened and lost since: it knows no other way
-- out, and is in none then.
-- allow-oom: a room that ends makes room
-- with: base step memory request top log session lists room wait ends
local again = repeated()
if again then
    return again
end
local s, refused = speaker()
if not s then
    return result(refusal_to_leave(refused))
end
local r = A.room_id ~= '' and room(A.room_id)
if r and r.manager == s.uid then
    place(s)
    close_room(r, s)
    reply_here()
    changed('rooms')
    return done(ERR.NONE)
end
if not is_original(s) or r and r.opener ~= s.uid then
    return done(r and ERR.NOT_MANAGER or ERR.ROOM_UNKNOWN)
end
reply_here()
if not manages(s) and not is_outdated(s) then
    take_out(s, 'left')
end
return done(ERR.NONE)

-- welcome: what a client is told that has come to its session by a new way: all lists, where it goes on in
-- its room, and what it has still to answer.

local function welcome(s)
    give_all(s)
    if has_line(s) then
        resume(s)
    end
    if s.wait == 'INVITE' then
        relay(s, redis.call('HGET', key('r', s.wait_room), 'name') or '')
    elseif s.wait then
        relay(s, s.wait_room)
    end
end

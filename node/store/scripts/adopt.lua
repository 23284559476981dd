-- adopt: sessions that live by HTTP push cannot look for a node themselves. Of the next `count` or so
-- from `cursor` on, those whose home is not there any more get this node as theirs; those that have it
-- already are shown again, which brings a node up to date that has missed answers. Extra: the next
-- cursor, 0 at the end.
-- with: base top session
local page = redis.call('ZSCAN', key('sessions'), A.cursor, 'COUNT', A.count)
for i = 1, #page[2], 2 do
    local s = session(page[2][i])
    if s and s.home == A.node then
        show_home(s)
    elseif s and s.http ~= '' and redis.call('HEXISTS', key('nodes'), s.home) == 0 then
        settle_at(s)
    end
end
return result(ERR.NONE, page[1])

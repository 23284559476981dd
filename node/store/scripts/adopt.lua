-- adopt: walks the sessions of node `from`, about `count` from `cursor` on. Its own ones a node is shown
-- again, which brings it up to date after missed answers. Those of a node that drains or is no more are shared
-- out among those that serve: one that lives by HTTP push cannot look for a node itself and gets the asking
-- node as its home, if it is this one's share; any other has no home until it is heard again, except that
-- a line to a node that drains lasts until it ends there. Extra: the next cursor, 0 at the end.
-- allow-oom: sessions of a node that died must go on
-- with: base nodes top log session
local nodes = hash(key('nodes'))
local from_lives = nodes[A.from] ~= nil
local serving = {}
for node, info in pairs(nodes) do
    local seen = read_node(info)
    if seen and not seen.draining then
        serving[#serving + 1] = node
    end
end
table.sort(serving)
local giver = read_node(nodes[A.from])
if A.from ~= A.node and giver and not giver.draining then
    return result(ERR.NONE, '0') -- it serves again
end

local function is_my_share(uid)
    local sum = 0
    for i = 1, #uid do
        sum = (sum * 31 + uid:byte(i)) % 65521
    end
    return #serving > 0 and serving[sum % #serving + 1] == A.node
end

local page = redis.call('HSCAN', key('home', A.from), A.cursor, 'COUNT', A.count)
for i = 1, #page[2], 2 do
    local uid, confirmed = page[2][i], page[2][i + 1]
    local s = session(uid)
    if not s or s.home ~= A.from then
        redis.call('HDEL', key('home', A.from), uid)
    elseif A.from == A.node then
        show_home(s, confirmed)
    elseif s.http == '' then
        if not from_lives or not has_line(s) then
            unsettle(s)
            s.home = ''
            save(s, 'home')
            if has_line(s) then
                go_away(s)
            end
            if from_lives then
                tell_node(A.from, uid)
            end
        end
    elseif is_my_share(uid) then
        settle_at(s)
    end
end
if A.from ~= A.node and redis.call('EXISTS', key('home', A.from)) == 0 then
    redis.call('SREM', key('lost'), A.from)
end
return result(ERR.NONE, page[1])

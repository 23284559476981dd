-- inbox: what has changed about this node's sessions by what was asked at others, behind number `after`, which the
-- node confirms having read up to. Extra: the last number that is read now, the inbox' last one, and 1 when some
-- were cut off before they were read: then the node has to be shown all its sessions.
-- allow-oom: what is read is removed
-- with: base top log session
local inbox, after = key('inbox', A.node), tonumber(A.after)
local found = redis.call('XRANGE', inbox, '0-' .. text(after + 1), '+', 'COUNT', A.count)
local last, is_shown, is_cut = after, {}, false
for _, item in ipairs(found) do
    local seq, uid = tonumber(item[1]:sub(3)), item[2][2]
    is_cut = is_cut or after > 0 and last == after and seq > after + 1
    last = seq
    if not is_shown[uid] then
        is_shown[uid] = true
        local home, http, move = unpack(redis.call('HMGET', key('u', uid), 'home', 'http', 'move'))
        if (http or '') ~= '' and home ~= A.node and redis.call('HEXISTS', key('nodes'), home) == 1 then
            effect('release', uid, home, '', move or '')
        else
            show_here(uid)
        end
    end
end
if after > 0 then
    redis.call('XTRIM', inbox, 'MINID', '0-' .. text(after)) -- the last one read stays, and tells the number
end
return result(ERR.NONE, text(last) .. ' ' .. text(top_of(inbox)) .. ' ' .. (is_cut and '1' or '0'))

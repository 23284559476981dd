-- seen: the numbers of entries that push clients have confirmed (`seen`: user id, number and epoch of
-- each, every one followed by a space), for the node that will have to go on with them. One whose home is
-- elsewhere is reported.
-- allow-oom: what is confirmed must not come twice
-- with: base
local uids, values = {}, {}
for uid, value in A.seen:gmatch('(%S+) (%d+ %d+) ') do
    uids[#uids + 1] = uid
    values[#values + 1] = value
end
local known = redis.call('HMGET', key('home', A.node), unpack(uids))
local flat = {}
for i, uid in ipairs(uids) do
    if known[i] then
        flat[#flat + 1] = uid
        flat[#flat + 1] = values[i]
    else
        effect('release', uid, '', '')
    end
end
if #flat > 0 then
    redis.call('HSET', key('home', A.node), unpack(flat))
end
return result(ERR.NONE)

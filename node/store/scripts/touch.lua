-- touch: renews sessions whose push connection lives (`uids`, 8 characters each, back to back); one
-- that is gone or has its home elsewhere is reported, and its connection here can end.
-- allow-oom: who is there must not run out
-- with: base
for i = 1, #A.uids, 8 do
    local uid = A.uids:sub(i, i + 7)
    local home, expires, away = unpack(redis.call('HMGET', key('u', uid), 'home', 'expires', 'away'))
    if home == A.node then
        redis.call('ZADD', key('sessions'), life + ((away or '') ~= '' and away or expires) * 1000, uid)
    else
        effect('release', uid, '', '')
    end
end
return result(ERR.NONE)

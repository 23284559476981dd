-- reseal: an account's key, which the node has sealed by the present secret, unless somebody has changed it.
-- with: base account
local found = account(A.user_key)
if found and found.sealed == A.old then
    found.sealed = A.sealed
    redis.call('HSET', key('accounts'), A.user_key, cjson.encode(found))
end
return result(ERR.NONE)

-- ctl_account_add: an account, with its key as the node has sealed it (`sealed`). The key itself is not known
-- here.
-- with: base rows steer
if redis.call('HEXISTS', key('accounts'), A.user_key) == 1 then
    return result(ERR.NAME_TAKEN)
end
if is_no_new_name(A.user, A.user_key) then
    return result(ERR.NAME_INVALID)
end
if not is_dry then
    if (A.sealed or '') == '' then
        return result(ERR.MALFORMED)
    end
    redis.call('HSET', key('accounts'), A.user_key,
        cjson.encode({ user = A.user, name_key = A.user_key, sealed = A.sealed, added_ms = now, added_by = A.actor }))
    record('account_add', { 'user' }, 'added the account ' .. A.user)
end
row('AccountKey', 'user', A.user)
return result(ERR.NONE)

-- piece: a piece of a long list (`what`; of members, of room `room`), from `cursor` on, which is 0 at the beginning.
-- What is in the list all the time comes at least once. Extra: the cursor of the next piece; 0: that was the last.
-- with: base top lists
local rid = A.room ~= '' and A.room or nil
local page, ids = redis.call('ZSCAN', LISTS[A.what].set(rid), A.cursor, 'COUNT', PIECE), {}
for i = 1, #page[2], 2 do
    ids[#ids + 1] = page[2][i]
end
append_names(effect('names'), A.what, ids)
return result(ERR.NONE, page[1])

--[[
  The stamps that an entry carries which is stored now. Nothing is written yet: store() does that.

  A stamp that is made anew has the number of the last invalidation that its group may have seen, and no higher one:
  who was granted a lease since then may still store.

  Arguments
    keys    the stamps' keys
    fields  per stamp, the field of the chain head that notes its last invalidation
    q       chain head
    n0      the number of the chain that the value is known to follow
    nonce   of stamps that do not exist yet
    life    TTL of the entry in milliseconds; 0: it has no end

  Returns a table:
    list   the stamps
    made   those of them that do not exist yet: { key, stamp }
    short  the keys of those that would end before the entry
    moved  whether one of them may have been invalidated since n0
]]
--- @include ends_before
--- @include last_move
--- @include read_stamp
local function carried_stamps(keys, fields, q, n0, nonce, life)
  local carried = { list = {}, made = {}, short = {}, moved = false }
  for index, key in ipairs(keys) do
    local stamp, n = read_stamp(key)
    if not stamp then
      n = last_move(q, fields[index])
      stamp = string.format('%.0f', math.min(n or n0, n0)) .. ':' .. nonce
      table.insert(carried.made, { key, stamp })
    elseif ends_before(key, life) then
      table.insert(carried.short, key)
    end
    if not n or n > n0 then
      carried.moved = true
    end
    table.insert(carried.list, stamp)
  end
  return carried
end

--[[
  SETs a key with a TTL in milliseconds; 0: it has no end. Returns what the server says when memory is full, else nil.
]]
--- @include set_or_full
local function put(key, value, life)
  if life == 0 then
    return set_or_full(key, value)
  end
  return set_or_full(key, value, 'PX', life)
end

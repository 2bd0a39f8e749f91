--[[
  SETs a key with a TTL in milliseconds; 0: it has no end.
]]
local function put(key, value, life)
  if life == 0 then
    return redis.pcall('SET', key, value)
  end
  return redis.pcall('SET', key, value, 'PX', life)
end

--[[
  Writes an entry and its stamps, which outlive it: their TTLs are only ever raised.

  Arguments
    key      the entry's key
    bytes    the entry
    carried  what carried_stamps() told of its stamps
    life     TTL of the entry in milliseconds; 0: it has no end

  Returns what the server says when memory is full, else nil. The entry is not written then.
]]
--- @include live_for
--- @include put
local function store(key, bytes, carried, life)
  for _, made in ipairs(carried.made) do
    local full = put(made[1], made[2], life)
    if full then
      return full
    end
  end
  local full = put(key, bytes, life)
  if full then
    return full
  end
  -- Only now: after a first write of whatever kind, the server would not refuse the value when memory is full.
  for _, short in ipairs(carried.short) do
    live_for(short, life)
  end
  return nil
end

// Written by scripts/build-lua.ts from src/redis/lua: change the scripts there.
export const scripts = {
  'acquire-3': {
    keys: 3,
    sha1: '63053bda2aa04ff2a00feca8bf667342a00ada33',
    lua: `local function head_number(q)
  local text = redis.pcall('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local there = redis.pcall('GET', KEYS[1])
if type(there) == 'string' then
  local seen = ARGV[3]
  local same = (#seen == 8 and string.sub(there, 5, 12) == seen) or (#seen == 40 and redis.sha1hex(there) == seen)
  if not same then
    return { 'found' }
  end
end
local held = redis.pcall('GET', KEYS[2])
if type(held) == 'string' then
  if held == 'skip' then
    return { 'skip' }
  end
  local code, message = string.match(held, '^failed|([^|]*)|(.*)$')
  if code and ARGV[4] == '1' then
    return { 'failed', code, message }
  end
  if string.match(held, '^%x+|%d+!*$') then
    local left = redis.call('PTTL', KEYS[2])
    if left > 0 then
      if string.sub(held, -1) ~= '!' then
        redis.call('SET', KEYS[2], held .. '!', 'KEEPTTL')
      end
      return { 'busy', left }
    end
  end
end
local n = head_number(KEYS[3])
local n0
if n then
  n0 = string.format('%.0f', n)
else
  local time = redis.call('TIME')
  n0 = string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2]))
  redis.call('DEL', KEYS[3])
  redis.call('HSET', KEYS[3], 'n', n0, 'floor', n0, 'tip', string.sub(ARGV[1], 1, 16))
end
redis.call('SET', KEYS[2], ARGV[1] .. '|' .. n0, 'PX', ARGV[2])
return { 'granted', n0 }`,
  },
  'clear-2': {
    keys: 2,
    sha1: 'bf743a95a4e51fddb776c15448c1b826eca0e852',
    lua: `local function head_number(q)
  local text = redis.pcall('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local function chain(q, channel, tip, body, field)
  local n = head_number(q)
  local previous = ''
  if n then
    n = n + 1
    previous = redis.call('HGET', q, 'tip') or ''
  else
    local time = redis.call('TIME')
    n = tonumber(time[1]) * 1000000 + tonumber(time[2])
    redis.call('DEL', q)
    redis.call('HSET', q, 'floor', string.format('%.0f', n))
  end
  local text = string.format('%.0f', n)
  redis.call('HSET', q, 'n', text, 'tip', tip)
  if field then
    redis.call('HSET', q, field, text)
  end
  redis.call('PUBLISH', channel, '[1,"' .. previous .. '","' .. tip .. '","' .. text .. '",' .. body)
  return text
end
local left = redis.call('PTTL', KEYS[1])
redis.call('DEL', KEYS[1])
local n = chain(KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
redis.call('SET', KEYS[1], n .. ':' .. ARGV[2])
if left ~= -1 then
  redis.call('PEXPIRE', KEYS[1], math.max(left, tonumber(ARGV[5])))
end
return n`,
  },
  'commit-n': {
    keys: 'n',
    sha1: '05e08d69c4cb7c19e4451a371562924c2ec8b21a',
    lua: `local function entry_bytes(head, n0, stamps, tail)
  local joined = {}
  for index, stamp in ipairs(stamps) do
    joined[index] = string.char(#stamp) .. stamp
  end
  local section = table.concat(joined)
  return string.sub(head, 1, 12)
    .. struct.pack('>d', n0)
    .. string.sub(head, 21)
    .. struct.pack('>I2I4', #stamps, #section)
    .. section
    .. tail
end
local function head_number(q)
  local text = redis.pcall('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local function keep_stamp(key, life)
  local left = redis.call('PTTL', key)
  if left >= 0 then
    if life == 0 then
      redis.call('PERSIST', key)
    elseif left < life then
      redis.call('PEXPIRE', key, life)
    end
  end
end
local function put(key, value, life)
  if life == 0 then
    return redis.pcall('SET', key, value)
  end
  return redis.pcall('SET', key, value, 'PX', life)
end
local function stamp_number(stamp)
  if type(stamp) ~= 'string' then
    return nil
  end
  local n, nonce = string.match(stamp, '^(%d+):([0-9a-f]+)$')
  if not n or #n > 17 or #nonce ~= 16 then
    return nil
  end
  return tonumber(n)
end
local held = redis.pcall('GET', KEYS[2])
local token, mark
local n0 = 0
if type(held) == 'string' then
  local text
  token, text, mark = string.match(held, '^(%x+)|(%d+)(!*)$')
  n0 = tonumber(text or '0')
end
if token ~= ARGV[2] then
  return { 'refused', 'lease' }
end
local function refuse(word, reason)
  redis.call('DEL', KEYS[2])
  if mark ~= '' then
    redis.call('PUBLISH', ARGV[1], ARGV[7])
  end
  return { word, reason }
end
if not head_number(KEYS[3]) then
  return refuse('refused', 'chain')
end
local life = tonumber(ARGV[5])
local stamps = {}
local missing = {}
for index = 4, #KEYS do
  local stamp = redis.pcall('GET', KEYS[index])
  local n = stamp_number(stamp)
  if n then
    if n > n0 then
      return refuse('refused', 'moved')
    end
    stamps[#stamps + 1] = stamp
  else
    local last = redis.call('HGET', KEYS[3], ARGV[index + 5]) or redis.call('HGET', KEYS[3], 'floor')
    local moved = tonumber(last or '')
    if not moved or not (moved <= n0) then
      return refuse('refused', 'moved')
    end
    missing[#missing + 1] = KEYS[index]
    stamps[#stamps + 1] = string.format('%.0f', n0) .. ':' .. ARGV[8]
  end
end
for _, key in ipairs(missing) do
  local done = put(key, string.format('%.0f', n0) .. ':' .. ARGV[8], life)
  if type(done) == 'table' and done.err then
    return refuse('failed', done.err)
  end
end
local done = put(KEYS[1], entry_bytes(ARGV[3], n0, stamps, ARGV[4]), life)
if type(done) == 'table' and done.err then
  return refuse('failed', done.err)
end
for index = 4, #KEYS do
  keep_stamp(KEYS[index], life)
end
redis.call('DEL', KEYS[2])
if mark ~= '' then
  redis.call('PUBLISH', ARGV[1], ARGV[6])
end
return { 'stored', unpack(stamps) }`,
  },
  'discard-1': {
    keys: 1,
    sha1: '5c6dd80646b182ac2c8d3bfb790d9bcd9fb07e49',
    lua: `local there = redis.pcall('GET', KEYS[1])
if type(there) ~= 'string' then
  return 0
end
local seen = ARGV[1]
if (#seen == 8 and string.sub(there, 5, 12) == seen) or (#seen == 40 and redis.sha1hex(there) == seen) then
  return redis.call('DEL', KEYS[1])
end
return 0`,
  },
  'invalidate-3': {
    keys: 3,
    sha1: 'a599ec7b16af795ab424684b0bdc5a6c85d0b933',
    lua: `local function head_number(q)
  local text = redis.pcall('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local function chain(q, channel, tip, body, field)
  local n = head_number(q)
  local previous = ''
  if n then
    n = n + 1
    previous = redis.call('HGET', q, 'tip') or ''
  else
    local time = redis.call('TIME')
    n = tonumber(time[1]) * 1000000 + tonumber(time[2])
    redis.call('DEL', q)
    redis.call('HSET', q, 'floor', string.format('%.0f', n))
  end
  local text = string.format('%.0f', n)
  redis.call('HSET', q, 'n', text, 'tip', tip)
  if field then
    redis.call('HSET', q, field, text)
  end
  redis.call('PUBLISH', channel, '[1,"' .. previous .. '","' .. tip .. '","' .. text .. '",' .. body)
  return text
end
redis.call('DEL', KEYS[1], KEYS[2])
return chain(KEYS[3], ARGV[1], ARGV[2], ARGV[3])`,
  },
  'release-1': {
    keys: 1,
    sha1: 'd78fba37a144d2c70a8eaef37657a7d27894a467',
    lua: `local held = redis.pcall('GET', KEYS[1])
if type(held) ~= 'string' then
  return 0
end
local token, mark = string.match(held, '^(%x+)|%d+(!*)$')
if token ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
if ARGV[4] ~= '' then
  redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
end
if mark ~= '' then
  redis.call('PUBLISH', ARGV[2], ARGV[3])
end
return 1`,
  },
  'renew-1': {
    keys: 1,
    sha1: 'b2e2bfbfc631c7dc732d8c98592e1dcb8825869c',
    lua: `local held = redis.pcall('GET', KEYS[1])
if type(held) == 'string' and string.match(held, '^(%x+)|') == ARGV[1] then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0`,
  },
  'set-n': {
    keys: 'n',
    sha1: 'a951a0130e65b5070fb7ffe4db9b72805a11d0f5',
    lua: `local function head_number(q)
  local text = redis.pcall('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local function chain(q, channel, tip, body, field)
  local n = head_number(q)
  local previous = ''
  if n then
    n = n + 1
    previous = redis.call('HGET', q, 'tip') or ''
  else
    local time = redis.call('TIME')
    n = tonumber(time[1]) * 1000000 + tonumber(time[2])
    redis.call('DEL', q)
    redis.call('HSET', q, 'floor', string.format('%.0f', n))
  end
  local text = string.format('%.0f', n)
  redis.call('HSET', q, 'n', text, 'tip', tip)
  if field then
    redis.call('HSET', q, field, text)
  end
  redis.call('PUBLISH', channel, '[1,"' .. previous .. '","' .. tip .. '","' .. text .. '",' .. body)
  return text
end
local function entry_bytes(head, n0, stamps, tail)
  local joined = {}
  for index, stamp in ipairs(stamps) do
    joined[index] = string.char(#stamp) .. stamp
  end
  local section = table.concat(joined)
  return string.sub(head, 1, 12)
    .. struct.pack('>d', n0)
    .. string.sub(head, 21)
    .. struct.pack('>I2I4', #stamps, #section)
    .. section
    .. tail
end
local function keep_stamp(key, life)
  local left = redis.call('PTTL', key)
  if left >= 0 then
    if life == 0 then
      redis.call('PERSIST', key)
    elseif left < life then
      redis.call('PEXPIRE', key, life)
    end
  end
end
local function put(key, value, life)
  if life == 0 then
    return redis.pcall('SET', key, value)
  end
  return redis.pcall('SET', key, value, 'PX', life)
end
local function stamp_number(stamp)
  if type(stamp) ~= 'string' then
    return nil
  end
  local n, nonce = string.match(stamp, '^(%d+):([0-9a-f]+)$')
  if not n or #n > 17 or #nonce ~= 16 then
    return nil
  end
  return tonumber(n)
end
local time = redis.call('TIME')
if tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) > tonumber(ARGV[8]) then
  return { 'late' }
end
if ARGV[9] ~= '' then
  local there = redis.pcall('GETRANGE', KEYS[1], 0, 51)
  if type(there) == 'string' and #there == 52 and string.sub(there, 1, 3) == 'tc\\1' then
    if struct.unpack('>d', there, 45) > tonumber(ARGV[9]) then
      return { 'older' }
    end
  end
end
local life = tonumber(ARGV[7])
local n0 = head_number(KEYS[3]) or (tonumber(time[1]) * 1000000 + tonumber(time[2]))
local created = string.format('%.0f', n0) .. ':' .. ARGV[2]
local stamps = {}
local failure
for index = 4, #KEYS do
  local stamp = redis.pcall('GET', KEYS[index])
  if not stamp_number(stamp) then
    stamp = created
    local done = redis.pcall('SET', KEYS[index], stamp)
    if type(done) == 'table' and done.err then
      failure = done.err
      break
    end
    if life > 0 then
      redis.call('PEXPIRE', KEYS[index], life)
    end
  end
  stamps[#stamps + 1] = stamp
end
if not failure then
  local done = put(KEYS[1], entry_bytes(ARGV[5], n0, stamps, ARGV[6]), life)
  if type(done) == 'table' and done.err then
    failure = done.err
  end
end
if not failure then
  for index = 4, #KEYS do
    keep_stamp(KEYS[index], life)
  end
end
if failure then
  redis.call('DEL', KEYS[1], KEYS[2])
  return { 'failed', chain(KEYS[3], ARGV[1], ARGV[2], ARGV[4]), failure }
end
redis.call('DEL', KEYS[2])
return { 'stored', chain(KEYS[3], ARGV[1], ARGV[2], ARGV[3]), unpack(stamps) }`,
  },
} as const

// SPDX-License-Identifier: MIT
// i18n: the page's words in each language, and putting them where the document asks for them:
// data-t (text), data-t-placeholder, data-t-label (for screen readers).

const WORDS = {
  en: {
    title: 'Group talk', skip: 'Skip to the talk', language: 'Language', views: 'Views',
    welcome: 'Join the talk', welcomeText: 'Choose a name that the others will see.',
    name: 'Your name', key: 'Key', keyHint: 'Whoever runs this service gives it to you.',
    register: 'Come in', unregister: 'Sign out', rooms: 'Rooms', roomName: 'New room',
    create: 'Create', noRooms: 'There is no room yet. Create the first one.', talk: 'Talk', people: 'People',
    noRoom: 'Where would you like to talk?',
    noRoomText: 'Choose a room, or create your own and invite others to it.', join: 'Join',
    me: 'You are', tryNow: 'Try now ({s} s)', continueHere: 'Continue here',
    help: 'Keyboard', close: 'Close', keysTalk: 'to the message field', keysRooms: 'to the rooms',
    keysPeople: 'to the people', keysSend: 'send', keysLine: 'new line', keysScroll: 'scroll the talk',
    keysLatest: 'to the latest message', keysInvitation: 'to an invitation',
    oldest: 'Older messages are no longer kept.', notices: 'Notices', newMessages: '{n} new messages',
    came: '{user} is here now.', cameMany: '{n} people have come.',
    notifyOff: 'Notify me', notifyOn: 'Stop notifying', notifyNo: 'Your browser does not allow this page to notify you.',
    stateOffline: 'You are offline', sayElsewhere: 'The talk goes on in another window. Choose “Continue here” to say this.',
    sayEnded: 'There is no session: nothing was sent.',
    endedBack: 'The session had ended. You are signed in again.',
    endedRoom: 'The session had ended, and the room “{room}” with it: {why}',
    givenBack: 'It is not known to have arrived, and stands in the message field again:\n{text}',
    leave: 'Leave', deleteRoom: 'Delete room', earlier: 'Earlier messages', messages: 'Messages',
    pending: 'Messages on their way', say: 'Write a message', send: 'Send', members: 'In this room',
    users: 'Everybody', more: 'Show more ({n} of {total})', accept: 'Accept', decline: 'Decline', cancel: 'Cancel',
    retry: 'Try again', discard: 'Discard', sending: 'sending…', notSent: 'Not sent: {why}',
    manager: 'manager', you: 'you', away: 'away', kick: 'Remove', kickUser: 'Remove {user} from the room',
    invite: 'Invite', inviteUser: 'Invite {user} to the room',
    members1: ' member', membersN: ' members', here: 'you are here', unread: 'New messages',
    jump: '{n} new', jumpDown: 'Latest messages', missing: '{n} messages are no longer available.',
    lostEntries: 'The service has lost what was said here last ({n}).',
    stateConnecting: 'Connecting…', stateOnline: 'Connected', stateIdle: '',
    stateWaiting: 'No connection', stateReplaced: 'Opened elsewhere', stateEnded: 'The session has ended.',
    askLeave: 'Leave the room “{room}”?', askSwitch: 'Leave “{room}” and join “{other}”?',
    askDelete: 'Delete the room “{room}”? Everybody in it has to leave, and its messages are gone.',
    handsOver: 'You will not be its manager any more.', isLast: 'You are the last one in it: it will be gone.',
    askKick: 'Remove {user} from the room?', promote: 'Make manager', promoteUser: 'Make manager: {user}',
    askPromote: 'Make {user} the manager of the room? You will not be its manager any more.',
    askElsewhere: '“{name}” is signed in elsewhere. Continue here?',
    invitedTo: 'You are invited to the room “{room}”.', inviting: '{user} was asked to join.',
    inviteAccepted: '{user} has accepted.', removedFrom: 'You are no longer in the room “{room}”.',
    inviteLate: 'The invitation does not hold any more.', roomClosed: 'The room “{room}” was closed.',
    lost: 'Not sent, because you are not in that room any more: “{text}”',
    created: '{user} opened the room.', joined: '{user} joined.', left: '{user} left.',
    invited: '{user} was invited and joined.', removed: '{user} was removed.',
    nowManager: '{user} manages the room now.',
    today: 'Today', yesterday: 'Yesterday',
    errDISCONNECTED: 'There is no connection.', errTIMEOUT: 'There was no answer.',
    errREPLACED: 'You are signed in elsewhere.',
    err1: 'This was not understood.', err4: 'You are not registered any more.', err6: 'The key is wrong.',
    err11: 'This name cannot be used: it is empty, too long, or has forbidden characters.',
    err12: 'Somebody has this name already.', err13: 'The service is full.',
    err22: 'There is a room of this name already.', err23: 'This room does not exist any more.',
    err24: 'No more rooms can be opened.', err25: 'The room is full.', err26: 'You are in a room already.',
    err27: 'You are not in this room.', err28: 'Only the manager may do this.',
    err29: 'The manager cannot leave: delete the room.', err30: 'This user is not here any more.',
    err31: 'This user is in a room already.', err32: 'This user has not answered an earlier question yet.',
    err9: 'You are signed in elsewhere.', err33: 'This user is not in the room.',
    err34: 'The manager cannot be removed.', err35: 'The user declined.',
    err39: 'This user’s program cannot manage a room.', err43: 'This room has no manager.',
    err36: 'There was no answer in time.', err40: 'This text cannot be sent.',
    err41: 'The message is too long.', err50: 'Too many messages at once. Wait a moment.',
    err51: 'The service is disturbed. Try again.', err52: 'The service is busy. Try again.',
    err53: 'The service is restarting. Try again.', err54: 'The service has failed. Try again.',
  },
  ko: {
    title: '그룹 대화', skip: '대화로 건너뛰기', language: '언어', views: '화면',
    welcome: '대화에 참여하기', welcomeText: '다른 사람에게 보일 이름을 정하세요.',
    name: '이름', key: '키', keyHint: '서비스 운영자에게서 받습니다.',
    register: '들어가기', unregister: '나가기', rooms: '방', roomName: '새 방 이름',
    create: '만들기', noRooms: '아직 방이 없습니다. 첫 방을 만들어 보세요.', talk: '대화', people: '사람',
    noRoom: '어디에서 이야기할까요?',
    noRoomText: '방을 고르거나, 방을 만들어 다른 사람을 초대하세요.', join: '들어가기',
    me: '내 이름', tryNow: '지금 시도 ({s}초)', continueHere: '여기서 계속하기',
    help: '키보드', close: '닫기', keysTalk: '메시지 입력란으로', keysRooms: '방 목록으로',
    keysPeople: '사람 목록으로', keysSend: '보내기', keysLine: '줄 바꾸기', keysScroll: '대화 넘겨 보기',
    keysLatest: '최근 메시지로', keysInvitation: '초대로',
    oldest: '더 오래된 메시지는 보관되어 있지 않습니다.', notices: '알림 기록', newMessages: '새 메시지 {n}개',
    came: '{user} 님이 접속했습니다.', cameMany: '{n}명이 접속했습니다.',
    notifyOff: '알림 받기', notifyOn: '알림 끄기', notifyNo: '브라우저가 이 페이지의 알림을 허용하지 않습니다.',
    stateOffline: '오프라인입니다', sayElsewhere: '대화가 다른 창에서 이어지고 있습니다. 이 글을 보내려면 “여기서 계속하기”를 누르세요.',
    sayEnded: '세션이 없어 보내지 않았습니다.',
    endedBack: '세션이 끝나서 다시 접속했습니다.',
    endedRoom: '세션이 끝났고 “{room}” 방에서도 나왔습니다: {why}',
    givenBack: '전달되었는지 알 수 없어 입력란에 다시 넣었습니다:\n{text}',
    leave: '방 나가기', deleteRoom: '방 삭제', earlier: '이전 메시지', messages: '메시지',
    pending: '보내는 중인 메시지', say: '메시지 쓰기', send: '보내기', members: '이 방에 있는 사람',
    users: '모든 사람', more: '더 보기 ({total} 중 {n})', accept: '수락', decline: '거절', cancel: '취소',
    retry: '다시 보내기', discard: '지우기', sending: '보내는 중…', notSent: '보내지 못함: {why}',
    manager: '방장', you: '나', away: '자리 비움', kick: '내보내기', kickUser: '{user} 님을 방에서 내보내기',
    invite: '초대', inviteUser: '{user} 님을 방에 초대하기',
    members1: '명', membersN: '명', here: '지금 있는 방', unread: '새 메시지',
    jump: '새 메시지 {n}개', jumpDown: '최근 메시지로', missing: '메시지 {n}개는 더 이상 볼 수 없습니다.',
    lostEntries: '여기서 마지막으로 오간 글({n}개)이 서비스에서 사라졌습니다.',
    stateConnecting: '연결하는 중…', stateOnline: '연결됨', stateIdle: '',
    stateWaiting: '연결이 끊어졌습니다', stateReplaced: '다른 곳에서 열렸습니다', stateEnded: '세션이 끝났습니다.',
    askLeave: '“{room}” 방에서 나갈까요?', askSwitch: '“{room}” 방에서 나가고 “{other}” 방에 들어갈까요?',
    askDelete: '“{room}” 방을 삭제할까요? 모두 방에서 나가게 되고 메시지는 사라집니다.',
    handsOver: '그러면 더 이상 이 방의 방장이 아닙니다.', isLast: '마지막으로 남은 사람이라 방이 사라집니다.',
    askKick: '{user} 님을 방에서 내보낼까요?', promote: '방장 넘기기', promoteUser: '방장 넘기기: {user}',
    askPromote: '{user} 님에게 방장을 넘길까요? 그러면 더 이상 이 방의 방장이 아닙니다.',
    askElsewhere: '“{name}” 이름으로 다른 곳에서 접속 중입니다. 여기서 계속할까요?',
    invitedTo: '“{room}” 방에 초대받았습니다.', inviting: '{user} 님을 초대했습니다.',
    inviteAccepted: '{user} 님이 수락했습니다.', removedFrom: '“{room}” 방에서 나왔습니다.',
    inviteLate: '초대가 더 이상 유효하지 않습니다.', roomClosed: '“{room}” 방이 삭제되었습니다.',
    lost: '더 이상 그 방에 있지 않아 보내지 못했습니다: “{text}”',
    created: '{user} 님이 방을 만들었습니다.', joined: '{user} 님이 들어왔습니다.', left: '{user} 님이 나갔습니다.',
    invited: '{user} 님이 초대를 받아 들어왔습니다.', removed: '{user} 님이 내보내졌습니다.',
    nowManager: '이제 {user} 님이 방장입니다.',
    today: '오늘', yesterday: '어제',
    errDISCONNECTED: '연결이 없습니다.', errTIMEOUT: '응답이 없습니다.',
    errREPLACED: '다른 곳에서 접속했습니다.',
    err1: '이해할 수 없는 요청입니다.', err4: '더 이상 등록되어 있지 않습니다.', err6: '키가 맞지 않습니다.',
    err11: '쓸 수 없는 이름입니다. 비어 있거나, 너무 길거나, 허용되지 않는 문자가 있습니다.',
    err12: '이미 사용 중인 이름입니다.', err13: '서비스 정원이 찼습니다.',
    err22: '같은 이름의 방이 이미 있습니다.', err23: '더 이상 없는 방입니다.',
    err24: '방을 더 만들 수 없습니다.', err25: '방이 가득 찼습니다.', err26: '이미 다른 방에 있습니다.',
    err27: '이 방에 있지 않습니다.', err28: '방장만 할 수 있습니다.',
    err29: '방장은 나갈 수 없습니다. 방을 삭제하세요.', err30: '더 이상 없는 사용자입니다.',
    err31: '이미 방에 있는 사용자입니다.', err32: '아직 이전 요청에 답하지 않은 사용자입니다.',
    err9: '다른 곳에서 접속했습니다.', err33: '이 방에 없는 사용자입니다.',
    err34: '방장은 내보낼 수 없습니다.', err35: '상대가 거절했습니다.',
    err39: '이 사용자의 프로그램으로는 방장이 될 수 없습니다.', err43: '방장이 없는 방입니다.',
    err36: '제때 응답이 없었습니다.', err40: '보낼 수 없는 글입니다.',
    err41: '메시지가 너무 깁니다.', err50: '한꺼번에 너무 많이 보냈습니다. 잠시 기다리세요.',
    err51: '서비스에 문제가 있습니다. 다시 시도하세요.', err52: '서비스가 바쁩니다. 다시 시도하세요.',
    err53: '서비스를 다시 시작하는 중입니다. 다시 시도하세요.', err54: '서비스에 오류가 났습니다. 다시 시도하세요.',
  },
};
const STORED = 'hgtp-language';

let language = 'en';
try {
  language = localStorage.getItem(STORED) || '';
} catch { /* a page without storage has its browser's language */ }
if (!WORDS[language]) {
  language = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => WORDS[tag]) || 'en';
}

export const currentLanguage = () => language;

const RIGHT_TO_LEFT = /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]|[\ud802\ud803\ud83a\ud83b]/;

/** A name that runs the other way does not turn the words around it. */
function isolated(value) {
  return RIGHT_TO_LEFT.test(value) ? `\u2068${value}\u2069` : value;
}

/** The words for `id`, its {names} filled in. */
export function t(id, values = {}) {
  const words = WORDS[language][id] ?? WORDS.en[id] ?? id;
  return words.replace(/\{(\w+)\}/g, (all, name) => (name in values ? isolated(values[name]) : all));
}

/** Why something failed, for people. */
export function why(error) {
  for (const id of [`err${error.reason}`, `err${error.code}`]) {
    if (WORDS[language][id]) return t(id);
  }
  return error.message;
}

export function setLanguage(chosen) {
  language = chosen;
  try {
    localStorage.setItem(STORED, chosen);
  } catch { /* then it is asked for again next time */ }
  translate();
}

export function translate() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll('[data-t]')) {
    element.textContent = t(element.dataset.t);
  }
  for (const element of document.querySelectorAll('[data-t-placeholder]')) {
    element.placeholder = t(element.dataset.tPlaceholder);
  }
  for (const element of document.querySelectorAll('[data-t-label]')) {
    element.setAttribute('aria-label', t(element.dataset.tLabel));
  }
}

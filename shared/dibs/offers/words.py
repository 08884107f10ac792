"""The words a reply may consist of, in the languages reps write, as phrases divided by commas.

These lists are closed: whatever is in none of them makes a text unclear, and an unclear text
claims nothing. So only words that mean one thing in every language belong here. Left out, for
example: `tak` (yes in Polish, not in Malay), `ne` (yes in Korean, no in Czech), `ano` (yes in
Czech, what in Tagalog), `nai` (yes in Greek, no in Hindi), `co` (yes in Vietnamese, what in
Polish), and `ben`, `mia` and `akin`, which are people. Accents, case, apostrophes and
punctuation do not matter; `#` stands for the code.
"""

from __future__ import annotations

YES = """
yes, y, yep, yup, yeah, yea, yes to, yes for, aye, sure, absolutely, definitely, of course,
certainly, mine, its mine, it is mine, # is mine, all mine, claim, claim it, claiming, claiming it,
i claim, i claim it, ill claim, ill claim it, i will claim, i want to claim, take, take it,
taking, taking it, i take, i take it, ill take, ill take it, i will take, i will take it,
im taking, im taking it, i am taking, i can take, i can take it, i would like, id like, id love,
i want, i want it, want, want it, i accept, accept, accepted, accepting, i choose, i pick,
ill have, i will have, let me have, let me take, give me, give it to me, give # to me,
put me down for, put me down, sign me up, grab, grab it, i grab, grabbing, dibs, dibs on,
i call dibs, i call dibs on, my dibs, confirm, confirmed, agree, agreed, affirmative, count me in,
im in, i am in,

ya, yaa, ye, iya, nak, saya nak, aku nak, i nak, saya mahu, mahu, aku mahu, mau, saya mau,
aku mau, ambil, saya ambil, aku ambil, i ambil, saya nak ambil, saya mahu ambil, saya mau ambil,
saya terima, terima, setuju, saya punya, saya tuntut, tuntut, milik saya,

ja, jawohl, klar, na klar, ich nehme, ich nehme es, ich nehme ihn, nehme ich, ich nehms, nehme,
ich will, ich möchte, meins, meiner, gehört mir, jep, oui, ouais, je prends, je le prends,
je la prends, je veux, je le veux, bien sûr, volontiers, jaccepte, sí, sì, claro, claro que sí,
lo tomo, la tomo, tomo, lo quiero, quiero, acepto, para mí, mío, es mío, certo, lo prendo, prendo,
prendo io, voglio, lo voglio, accetto, sim, quero, eu quero, eu pego, pego, fico com, aceito,
é meu, é minha, jazeker, graag, ik neem, ik neem hem, ik pak, ik pak hem, ik wil, ik wil hem,
biorę, biorę to, chcę, poproszę, oczywiście, da, vreau, iau, îl iau, desigur, beru, chci, berem,
vezmu, beriem, chcem, igen, kérem szépen, elviszem, kell nekem, kyllä, otan, otan sen, japp,
jag tar, jag tar den, jag vill ha, jeg tager, jeg tar, jeg tager den, jeg tar den, jeg vil ha,
evet, alıyorum, ben alıyorum, alırım, ben alırım, istiyorum, kabul, benim, oo, opo, kunin ko,
kukunin ko, gusto ko, akin na, akin ito, vâng, tôi nhận, tôi lấy, tôi muốn, em nhận, anh nhận,
đồng ý, haan, haan ji, ji haan, main lunga, main lungi, mujhe chahiye,

да, ага, беру, я беру, возьму, я возьму, забираю, я забираю, хочу, я хочу, моё, мой, моя,
согласен, согласна, конечно, авжеж, звісно, візьму, я візьму, звичайно, моє, згоден, згодна,
вземам, искам, узимам, ναι, παίρνω, το παίρνω, θέλω, το θέλω, δικό μου, δέχομαι,

是, 是的, 要, 我要, 要了, 我要了, 要 # 了, 我要 # 了, 对, 對, 行,
可以, 我拿, 我接, 我接了, 接, 拿, 我来, 我來, 我的, 是我的, 确认, 確認, 同意,
没问题, 沒問題, 我要这个, 我要這個, 我要认领, 认领, 我认领, 認領,
我認領, 系, 我攞, はい, うん, ええ, 取ります, 私が取ります, もらいます, いただきます, 欲しい,
欲しいです, ほしい, ほしいです, お願いします, おねがいします, 引き受けます, やります, 受けます,
ください, 下さい, 네, 예, 넵, 넹, 응, 제가 할게요, 제가 가져갈게요, 제가 맡을게요, 할게요,
가져갈게요, 주세요, 저요, 제 거예요, 좋아요, 신청합니다, 제가 하겠습니다, ใช่, เอา, เอาครับ,
เอาค่ะ, ผมเอา, ฉันเอา, รับ, ผมรับ, ตกลง, ได้ครับ, ได้ค่ะ, ใช่ครับ, ใช่ค่ะ, ขอรับ, نعم, ايوه, أيوه,
ايوة, اجل, أجل, موافق, موافقة, آخذها, سآخذها, أريدها, اريدها, أريد, اريد, أنا آخذها, بله, آره,
می خواهم, میخواهم, כן, אני לוקח, אני לוקחת, לוקח, לוקחת, אני רוצה, שלי, हाँ, हां, जी, जी हाँ,
जी हां, मुझे चाहिए, मैं लूंगा, मैं लूँगा, मैं लूंगी, मैं लेता हूँ, मैं लेती हूँ, ஆம், ஆமாம்,
எனக்கு வேண்டும், হ্যাঁ, জি, আমি নেব, ਹਾਂ, అవును
"""

# Politeness and what goes with a yes: beside a code it is part of one, alone it is not.
WITH_YES = """
ok, okay, okey, oke, okie, okay then, ok then, k, kk, alright, all right, please, pls, plz, plse,
pretty please, thanks, thank you, thank u, thx, tq, cheers, many thanks, me, me please, me first,
i, for me, to me, for myself, with pleasure, gladly, now, right now, right away, asap,
straight away, this, this one, that one, this lead, that lead, the lead, lead, code, the code,
number, it, hi, hello, hey, sir, boss, on it, im on it, i am on it, lets go, too, again, la, lah,
lor, ah, yo, woohoo, yay, sila, tolong, terima kasih, trima kasih, tima kasih, makasih, tqvm,
baik, baiklah, saya, aku, untuk saya, untuk aku, yang ini, ini, lead ini, kod, kode, bos, tuan,
puan, sekarang, dong, bitte, danke, gerne, ich, für mich, in ordnung, hallo, jetzt, alles klar,
svp, stp, sil vous plaît, sil te plaît, merci, moi, pour moi, à moi, daccord, bonjour, le code,
por favor, porfa, gracias, yo, vale, hola, el código, ahora, para yo, per favore, grazie, io,
per me, va bene, ciao, il codice, obrigado, obrigada, eu, para mim, pra mim, tá bom, está bem,
olá, beleza, meu, minha, alstublieft, alsjeblieft, aub, dank je, dank u, bedankt, voor mij, ik,
proszę, dziękuję, dzięki, dla mnie, dobrze, mulțumesc, te rog, prosím, děkuji, díky, ďakujem,
kérem, kérlek, köszönöm, nekem, kiitos, minulle, tack, takk, snälla, tusen takk, till mig,
til meg, til mig, lütfen, teşekkürler, tamam, olur, bana, sağol, po, sige, sige po, salamat,
salamat po, paki, cảm ơn, cám ơn, vâng ạ, được, cho tôi, cho em, theek hai, dhanyavaad, shukriya,
пожалуйста, пож, плиз, спасибо, спс, ок, окей, хорошо, ладно, мне, для меня, я, код, лид, привет,
будь ласка, дякую, так, добре, мені, для мене, моля, благодаря, молим, хвала, παρακαλώ, ευχαριστώ,
οκ, εντάξει, για μένα, σε μένα, εγώ, κωδικός, 请, 請, 谢谢, 謝謝, 多谢, 多謝, 好, 好的, 好啊,
好吧, 我, 给我, 給我, 这个, 這個, 你好, 麻烦, 麻煩, 了解, 收到, 唔該, 代码, 代碼, 私, 私に,
私です, です, ありがとう, ありがとうございます, 了解です, 了解しました, オッケー, オーケー,
コード, コードは, 저, 저에게, 제가, 감사합니다, 고마워요, 부탁합니다, 부탁드립니다, 부탁드려요,
안녕하세요, 코드, 오케이, ครับ, ค่ะ, ขอ, ขอบคุณ, ขอบคุณครับ, ขอบคุณค่ะ, ผม, ฉัน, โอเค, รหัส,
สวัสดี, من فضلك, لو سمحت, شكرا, شكراً, لي, أنا, انا, تمام, حسنا, الرمز, مرحبا, لطفا, مرسی, בבקשה,
תודה, לי, אני, בסדר, קוד, כרגע, कृपया, धन्यवाद, शुक्रिया, ठीक है, मुझे, मैं, कोड, நன்றி,
தயவு செய்து, ধন্যবাদ
"""

# A yes when nothing but the code stands beside it; before a verb it asks: "can I take".
YES_ALONE = """
can, can can, can la, can lah, boleh, boleh la, boleh lah, boleh je, bisa, posso
"""

NO = """
no, nope, nah, no way, not, not me, not for me, not this one, not interested, im not interested,
not today, not now, no thank you, no thanks, dont, do not, dont want, dont want it, i dont want,
i dont want it, i do not want, i do not want it, dont claim, do not claim, dont take, cant,
cannot, cant take, cant take it, i cant, i cant take, i cant take it, i cannot take, i cannot,
cannot take, cannot take it, wont take, i wont take, i will not take, not taking, im not taking,
pass, i pass, ill pass, skip, skip it, skip this, skip this one, decline, declined, i decline,
leave it, let it go, too busy, im busy, i am busy, busy, no time, sorry no, no sorry, sorry not,
sorry cant, sorry i cant, sorry no time, never, neither, none, tak nak, taknak, tak mahu, tak mau,
tak boleh, tak ambil, tak berminat, tidak, tidak mahu, tidak mau, tidak boleh, tidak nak, x nak,
xnak, xmau, x mau, saya tak nak, saya tidak mahu, saya tak boleh, saya sibuk, sibuk, bukan,
bukan saya, jangan, nggak, nggak mau, gak, gak mau, ga mau, enggak, ndak, nein, nee, nö, nicht,
kein interesse, keine zeit, ich kann nicht, ich will nicht, leider nicht, non, pas, pas moi,
pas pour moi, je ne veux pas, je ne peux pas, pas intéressé, je passe, no quiero, no puedo,
ahora no, paso, no me interesa, non voglio, non posso, não, não quero, não posso, geen tijd,
geen interesse, niet, ik kan niet, nie, nie chcę, nie mogę, nej, nej tack, nei, inte, ikke, nem,
nem kérem, ei, en ota, nu, nu vreau, hayır, istemiyorum, almıyorum, hindi, ayaw, ayoko, ayaw ko,
không, không nhận, tôi không nhận, từ chối, nahi, nahin, nahi chahiye, нет, не, не хочу, не могу,
не буду, не беру, не возьму, не надо, не мне, я не хочу, я не могу, пас, отказ, отказываюсь, ні,
не можу, не треба, не візьму, не ща, όχι, δεν θέλω, δεν μπορώ, 不, 不要, 我不要, 不用, 不用了,
不行, 不是, 不能, 不想, 不想要, 不需要, 没空, 沒空, 没时间, 沒時間, 算了, 不接, 不拿, 唔要,
いいえ, いや, 要りません, いりません, いらない, いらないです, 結構です, できません, 無理,
無理です, だめ, 아니요, 아니오, 아니, 아뇨, 안 해요, 안할래요, 싫어요, 못 해요, 필요 없어요, ไม่,
ไม่เอา, ไม่รับ, ไม่ครับ, ไม่ค่ะ, ไม่ว่าง, ไม่ได้, ไม่ใช่, لا, لا أريد, لا اريد, لا أستطيع,
لا شكرا, نه, نمی خواهم, לא, לא רוצה, לא תודה, לא יכול, לא יכולה, नहीं, नही, नहीं चाहिए,
मुझे नहीं चाहिए, இல்லை, வேண்டாம், না
"""

# Made of words that say yes, and none: "if" in Chinese.
NO_YES = "要是"

# What came of a lead one holds, by the outcome's name (`ledger/quick.py`). With "called" beside
# another one the other says more; so does a meeting beside "reached".
OUTCOMES = {
    "called": """
called, tried, tried to call, tried calling, i tried,
i called, have called, ive called, phoned, i phoned, rang, i rang, called them, called him,
called her, phoned them, phoned him, phoned her, done calling, call done, call made, made the call,
sudah call, dah call, sudah telefon, dah telefon, telah telefon, saya dah call, saya dah telefon,
sudah dihubungi, sudah menelefon, позвонил, позвонила, звонил, звонила, я позвонил, я позвонила,
打了, 打了电话, 打了電話, 已打电话, 已打電話, 已致电, 已致電
""",
    "no answer": """
no answer, no ans, noanswer, no reply, no response, no pick up, no pickup, not answering,
not picking up, not reachable, unreachable, did not answer, didnt answer, did not pick up,
didnt pick up, doesnt answer, does not answer, no one answered, nobody answered, not answered,
unanswered, not reached, could not reach, couldnt reach, cannot reach, cant reach, did not reach,
didnt reach, voicemail, voice mail, left voicemail, left a voicemail, left a message, left message,
line busy, line switched off, phone off, called no answer, rang out,
tiada jawapan, tak jawab, tidak jawab, tak dijawab, tidak dijawab, tak angkat, tidak angkat,
tak diangkat, tak berjawab, tidak berjawab, tak dapat hubungi, tidak dapat dihubungi,
tak dapat dihubungi, tiada respon, peti suara, x jawab, x angkat,
нет ответа, не отвечает, не ответил, не ответила, не берёт, не берёт трубку, не дозвонился,
не дозвонилась, недоступен, автоответчик, 没接, 沒接, 没人接, 沒人接, 无人接听, 無人接聽, 没有人接,
没回应, 沒回應, 打不通
""",
    "reached": """
reached, i reached, reached them, reached him, reached her, contacted, i contacted, spoke, i spoke,
spoke to, spoke with, spoke to them, spoke to him, spoke to her, spoke with them, spoke with him,
spoke with her, talked, i talked, talked to them, talked to him, talked to her, got through,
got hold of, got hold of them, got them, connected, answered, they answered, he answered,
she answered, picked up, they picked up, he picked up, she picked up,
dapat hubungi, berjaya hubungi, dapat dihubungi, berjaya dihubungi, sudah bercakap, dah bercakap,
dah cakap, sudah cakap, dah jawab, sudah jawab, dia jawab, dia angkat, dihubungi, dapat cakap,
дозвонился, дозвонилась, поговорил, поговорила, связался, связалась, ответил, ответила,
接通了, 联系上了, 聯繫上了, 联系到了, 聯繫到了, 聊过了, 聊過了
""",
    "meeting": """
meeting, appointment, meeting set, meeting booked, booked a meeting, set a meeting, got a meeting,
meeting arranged, appointment set, appointment booked, appointment made, appt,
appt set, booked an appointment, set an appointment, booked, demo booked, demo set,
temu janji, temujanji, temu janji esok, dapat temu janji, janji temu, set temu janji,
mesyuarat ditetapkan,
встреча, встреча назначена, назначил встречу, назначила встречу, 约好了, 約好了, 约了, 約了,
已约, 已約, 预约了, 預約了
""",
    "wrong number": """
wrong number, wrong num, wrong no, wrong nr, wrong phone, wrong phone number, number wrong,
wrong person, bad number, invalid number, number not in use, not in service, number not in service,
does not exist, number does not exist, fake number, dead number, disconnected,
nombor salah, salah nombor, no salah, salah orang, orang salah, nombor tak wujud,
nombor tidak wujud, nombor tiada dalam perkhidmatan, неверный номер, не тот номер,
номер не тот, ошиблись номером, номер не существует, 号码错误, 號碼錯誤, 打错了, 打錯了, 空号, 空號,
错号, 錯號
""",
    "not interested": """
they are not interested, theyre not interested, he is not interested, hes not interested,
she is not interested, shes not interested, client not interested, customer not interested,
lead not interested, contact not interested, not keen, they said no, he said no, she said no,
they declined, rejected us, no interest, pelanggan tak berminat, pelanggan tidak berminat,
dia tak berminat, dia tidak berminat, mereka tak berminat, mereka tidak berminat,
не заинтересован, не заинтересована, не заинтересованы, клиент отказался, им не интересно,
他没兴趣, 他沒興趣, 客户没兴趣, 客戶沒興趣, 对方没兴趣, 對方沒興趣
""",
}
SAYS_MORE = {
    "called": {"no answer", "reached", "meeting", "wrong number", "not interested"},
    "reached": {"meeting", "not interested"},
}
# What stands around an outcome and says nothing of its own. No word here may deny what it stands
# beside, and none may put it off: "will reach" is not "reached".
WITH_OUTCOME = """
a, an, the, was, is, its, it was, it is, but, and, then, so, just, only, also, still, well, sorry,
from, with, of, on, at, my, phone, today, yesterday, tomorrow, tonight, morning, afternoon, evening,
this morning, this afternoon, this evening, earlier, later, next week, once, twice, three times,
again, monday, tuesday, wednesday, thursday, friday, saturday, sunday,
will try again, will try again later, will try later, ill try again, ill try again later,
ill try later, trying again, try again, try again later, try later, will call again,
will call back, will call later, ill call again, ill call back, ill call later, calling again,
calling back, call again, call back, will follow up, ill follow up,
tapi, tetapi, dan, lepas tu, kemudian, cuma, dengan, tadi, hari ini, semalam, pagi, petang, malam,
lagi, akan cuba lagi, cuba lagi, nanti cuba lagi, akan call lagi, nanti call lagi,
akan telefon lagi, nanti telefon lagi,
но, а, и, это, был, была, было, сегодня, завтра, вчера, позже, ещё раз, попробую ещё раз,
попробую ещё, попробую позже, перезвоню, перезвоню позже, позвоню ещё раз, позвоню позже,
但, 但是, 不过, 不過, 然后, 然後, 是, 今天, 明天, 昨天, 再打, 再试, 再試, 晚点再打, 晚點再打,
会再打, 會再打
"""
# Whom the rep spoke to: only after the outcome, since "the client called" tells nothing of a rep.
WHOM = """
him, her, them, customer, client, contact, person, prospect, dia, mereka, pelanggan, ему, ей,
с ним, с ней, с клиентом, клиенту
"""
# It also declines an offer, so it is an outcome only beside the code of a lead one holds.
ALSO_NO = {"not interested": "not interested, tak berminat, tidak berminat, 没兴趣, 沒興趣"}

# A lead one holds goes back, which wants its code; `#` is where the code may stand within.
RELEASE = """
release, i release, ill release, i will release, i want to release, want to release, releasing,
released, release it, i release it, give back, i give back, ill give back, i want to give back,
want to give back, giving back, give it back, i give it back, ill give it back,
i want to give it back, giving it back, give # back, i give # back, giving # back, give back the,
give back my, give up, i give up, giving up, give it up, give # up, hand back, i hand back,
handing back, hand it back, hand # back, return, i return, returning, return it, i return it,
put back, put it back, put # back, send back, send it back, send # back, take back, take it back,
take # back, let go of,
lepaskan, saya lepaskan, aku lepaskan, nak lepaskan, saya nak lepaskan, lepas, saya lepas,
pulangkan, saya pulangkan, nak pulangkan, kembalikan, saya kembalikan, serah balik, bagi balik,
beri balik, hantar balik, pulangkan balik,
отдаю, я отдаю, отдаю обратно, отдать, отдать обратно, возвращаю, я возвращаю, верну, вернуть,
退回, 我退回, 放回, 归还, 歸還, 释放, 釋放, 退还, 退還
"""

# What AWS itself opts out on, and it does so for any text that begins with one of these.
# `docs/operations.md` says what follows from it.
AWS_STOP = "arret, cancel, end, opt out, optout, quit, remove, stop, td, unsubscribe"

# Whole texts that carriers, or people, opt out with elsewhere.
STOP = """
stopall, stop all, revoke, unsub, opt me out, remove me, unsubscribe me, stop texting me,
dont text me, do not text me, no more texts, do not contact me, dont contact me, berhenti,
berhentikan, batal, batalkan, hentikan, stop langganan, nyahlanggan, baja, dar de baja,
darme de baja, alto, parar, detener, cancelar, cancele, sair, descadastrar, arrêt, arrêter,
arrêtez, désabonner, désabonnement, désinscrire, désinscription, annuler, stopp, abmelden,
abbestellen, austragen, beenden, afmelden, uitschrijven, stoppen, annulla, disiscrivi,
disiscrivimi, cancellami, rezygnuję, wypisz, wypisz mnie, zatrzymaj, odhlásit, odhlásiť,
dezabonare, oprește, leállítás, leiratkozás, lopeta, peruuta, avsluta, avmeld, afmeld, iptal, ret,
dur, durdur, ihinto, itigil, tigil, hủy, huỷ, dừng, ngừng, стоп, стой, отписка, отписаться,
отпиши, отмена, прекратить, остановить, відписатися, відписка, зупинити, припинити, спри, στοπ,
σταμάτα, σταματήστε, διαγραφή, διακοπή, 停止, 停, 退订, 退訂, 取消, 取消订阅, 取消訂閱, 拒收,
停止发送, 停止發送, 退订回t, 配信停止, 解除, 中止, ストップ, やめて, 停止して, 止めて, 수신거부,
수신 거부, 중지, 정지, 그만, 해지, หยุด, ยกเลิก, เลิก, เลิกรับ, قف, توقف, إيقاف, ايقاف, إلغاء,
الغاء, الغاء الاشتراك, لغو, עצור, הפסק, הסר, הסירו אותי, להסרה, रोकें, रोको, बंद, बंद करो,
बंद करें, स्टॉप, நிறுத்து, বন্ধ
"""

START = """
start, unstop, subscribe, resubscribe, resume, opt in, optin, opt me in, mula, mulakan, mulai,
sambung semula, langgan, alta, iniciar, reanudar, reprendre, démarrer, commencer, anmelden,
starten, iscrivimi, inizia, başla, başlat, bắt đầu, simulan, старт, начать, подписаться, почати,
підписатися, έναρξη, ξεκίνα, 开始, 開始, 订阅, 訂閱, 恢复, 恢復, 再開, スタート, 시작, 수신동의,
เริ่ม, ابدأ, ابدا, اشتراك, התחל, शुरू
"""

# Emoji and signs that are as good as a smile beside a yes. Any other makes a text unclear.
CHEERS = (
    "👍👌🙏✅✔☑🆗💪🔥🚀🎉🎊🎯💯⚡✨⭐🌟🏆🥇🏃💨🙋🙌👏🤝🤞✌🤙👊🫡🫶💰💵🤑📞☎📱📲"
    "😀😃😄😁😆😅🙂😊😇😉😋😎🤩🥳😍🥰😺☺🤗❤♥🧡💛💚💙💜🤎🖤🤍💖💗💓💕😘"
)

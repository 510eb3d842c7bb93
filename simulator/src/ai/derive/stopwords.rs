//! Words that every conversation has, in English and in Russian.

use std::{collections::HashSet, sync::LazyLock};

const ENGLISH: &str = "
about actually after again all alright also although always and another any anything are around ask asked asking back
because been before being both bye but can can't cannot come could couldn't day did didn't does doesn't doing don't done
each either else even ever every everything exactly few fine for from get getting give giving going gonna good goodbye
got great had has have having hello help helped her here hey hey's hi him his hope how however i'd i'll i'm i've idea
into isn't it's its just kind know last later let let's like little long look looking lot made make makes many may maybe
mean might more morning most much must myself name need needed needs never new next nice not nothing now off okay old one
ones only onto other our out over own perfect please possible preferably prefer preference problem put quite rather ready
really right said same say says see seem seems set shall she should sir some someone something somewhere soon sorry sound
sounds still such sure take talk tell than thank thanks that that'd that'll that's the their them then there there's these
they thing things think this those though thought three time times today tomorrow tonight too try trying two under until
upon use used using very wait wanna want wanted wants was wasn't way well were what what's whatever when where whether
which while who why will with within without won't wonder wondering work works would wouldn't yeah yep yes yet you you'd
you'll you're you've your yours able find finding area town part near interested information additional details number
provide already awesome bit care correct definitely enough follow forward happy hear interest keep less love matter maam
mind moment open per pick provided question questions recommend remember send show start stay suggest welcome wonderful
";

const RUSSIAN: &str = "
без более больше будем будет будете будут будь буду был была были было быть вам вами вас ваш ваша ваше ваши вашу весь
вместо вообще вот время все всего всё всем всех вся всю вы где года давай давайте даже дай дайте для добрый должен должна
должно достаточно другая другие другого другое другой его если есть еще её ей ему ею желательно за замечательно здесь
здорово здравствуйте знать знаю знаете и из или им иметь имени имя интересует интересно искать ищу их каждый как какая
какие какими каким какого какое какой каком какую кажется когда конечно которая которого которое которой который которую
которые которых кто куда ладно лучше люблю любая любое любой любые меня мне много могла могли могу могут может можете
можно мой моя моё мои моего моей моих мою мы нам нами нас наш наша наше наши него нее неё ней нельзя нем ним них нет ни
никакой ничего но ну нужен нужна нужна нужно нужны один одна одно однако около она они оно от отлично очень пожалуйста
подойдет подойдёт подскажите подсказать пока поможет помочь помощь понадобится понял поняла после потом потому похоже
почему предпочитаю предпочел предпочла предпочтений предпочтения предложить порекомендовать посоветуйте при привет про
просто прошу пусть раз расскажите рядом сам сама сами самое свой свою своей себе себя сделать сегодня сейчас сказать
скажите сколько сообщите спасибо спросить спрашивать также такая такие такой такое там тебе тебя тем теперь тех ти то того
той только том тому тот тоже три тут тебя ты уже узнать хорошо хотел хотела хотели хотелось хотеть хотите хочу хочется
хоть цели час чего чем через что чтобы чтото чуть эта эти этим этих это этого этой этом этому этот эту является мной мною
тобой ваших вашего вашей вами два две ваша все-таки дайте найти найдите найди поискать смотрю помогите помоги ищете надо
нуждаюсь требуется собираюсь планирую хотелось информацию информация информации номер нравится звучит вопрос вопросы
благодарю большое прекрасно месте место думаю возможно возможность действительно именно насчет насчёт итак ага окей всё
городе города город районе район расположен расположенный находиться находится находящийся должны имеет имеются имеется
";

static ALL: LazyLock<HashSet<String>> = LazyLock::new(|| {
    ENGLISH.split_whitespace().chain(RUSSIAN.split_whitespace()).map(|word| word.replace('ё', "е")).collect()
});

/// Whether a word in lower case says nothing about a topic.
pub(super) fn is_stopword(word: &str) -> bool {
    ALL.contains(word)
}

-- Cities, states, zip codes and countries (snap-api.md, section 3.4). `country` is a code as country_code() gives it,
-- or null. Needs normalize.sql.

-- Version 3: no spaces, no punctuation.
create or replace macro normalized_city(text) as null_if_wordless(
    folded_case(empty_if_blank(regexp_replace(empty_if_blank(text), '[\p{P}\p{S}\p{Z}\p{Cc}]+', '', 'g')))
);

create or replace macro hashed_city(text) as coalesce(given_digest(text), sha256(normalized_city(text)));

-- Version 2 treats a city as it does a name: inner spaces stay (snap-api.md, section 2.2).
create or replace macro hashed_city_v2(text) as hashed_name_v2(text);

-- The name of a country or state as a key of the maps below: letters alone, without accents, "and",
-- "of" and "the".
create or replace macro place_key(text) as regexp_replace(
    strip_accents(folded_case(text)), '\b(?:and|the|of)\b|[^\p{L}\p{M}]+', '', 'g'
);

-- The two-letter code of a state of the US, in lower case, from code or name.
create or replace macro us_state_code(text) as coalesce(
    null_if_empty(regexp_extract(place_key(text), '^[a-z]{2}$')),
    left(
        string_split(
            '|alabama=al|alaska=ak|arizona=az|arkansas=ar|california=ca|colorado=co|connecticut=ct|delaware=de|
            |districtcolumbia=dc|washingtondc=dc|florida=fl|georgia=ga|hawaii=hi|idaho=id|illinois=il|indiana=in|
            |iowa=ia|kansas=ks|kentucky=ky|louisiana=la|maine=me|maryland=md|massachusetts=ma|michigan=mi|
            |minnesota=mn|mississippi=ms|missouri=mo|montana=mt|nebraska=ne|nevada=nv|newhampshire=nh|newjersey=nj|
            |newmexico=nm|newyork=ny|northcarolina=nc|northdakota=nd|ohio=oh|oklahoma=ok|oregon=or|pennsylvania=pa|
            |rhodeisland=ri|southcarolina=sc|southdakota=sd|tennessee=tn|texas=tx|utah=ut|vermont=vt|virginia=va|
            |washington=wa|westvirginia=wv|wisconsin=wi|wyoming=wy|puertorico=pr|guam=gu|americansamoa=as|
            |usvirginislands=vi|virginislands=vi|northernmarianaislands=mp|',
            '|' || place_key(text) || '='
        )[2],
        2
    )
);

-- The US: the two-letter code; elsewhere the letters. A code of ISO 3166-2 ("US-CA") counts without its country.
create or replace macro normalized_state(text, country) as case
    when lower(country) = 'us'
        then us_state_code(regexp_replace(trimmed_or_empty(text), '^[A-Za-z]{2}-([A-Za-z]{2})$', '\1'))
    else null_if_wordless(
        folded_case(
            empty_if_blank(
                regexp_replace(
                    regexp_replace(null_if_wordless(empty_if_blank(text)), '^[A-Za-z]{2}-([A-Za-z0-9]{1,3})$', '\1'),
                    '[^\p{L}\p{M}]+',
                    '',
                    'g'
                )
            )
        )
    )
end;

create or replace macro hashed_state(text, country) as
coalesce(given_digest(text), sha256(normalized_state(text, country)));

-- The code of a state or region as version 2 takes it in plain text: letters and digits, in upper case, from a code of
-- ISO 3166-2 with or without its country, or from the name of a state of the US. Null for all other names.
create or replace macro region_code(text, country) as upper(
    coalesce(
        nullif(regexp_extract(text, '^\s*(?:[A-Za-z]{2}-)?([A-Za-z0-9]{1,3})\s*$', 1), ''),
        case when lower(country) = 'us' then us_state_code(text) end
    )
);

create or replace macro zip_characters(text) as
lower(regexp_replace(empty_if_blank(text), '[\p{Z}\p{Pd}\p{Cc}]+', '', 'g'));

-- Without spaces and dashes. The US: the first five digits; the United Kingdom: area, district and sector, which is
-- all but the last two letters of a whole code.
create or replace macro normalized_zip(text, country) as null_if_empty(
    regexp_extract(
        case lower(country)
            when 'us' then regexp_extract(zip_characters(text), '^([0-9]{5})(?:[0-9]{4})?$', 1)
            when 'gb' then regexp_replace(zip_characters(text), '^([a-z]{1,2}[0-9][0-9a-z]?[0-9])[a-z]{2}$', '\1')
            else zip_characters(text)
        end,
        -- Every postal code has a digit, and no more than eleven characters.
        '^[a-z]{0,5}[0-9][0-9a-z]{0,9}$'
    )
);

create or replace macro hashed_zip(text, country) as
coalesce(given_digest(text), sha256(normalized_zip(text, country)));

-- ISO 3166-1 alpha-2 in lower case, from alpha-2, alpha-3, or a name in English or in the country's own language.
create or replace macro country_code(text) as coalesce(
    null_if_empty(
        regexp_extract(
            regexp_replace(place_key(text), '^uk$', 'gb'),
            '^(?:a[defgilmoqrstuwxz]|b[abdefghijlmnoqrstvwyz]|c[acdfghiklmnoruvwxyz]|d[ejkmoz]|e[ceghrst]'
            || '|f[ijkmor]|g[abdefghilmnpqrstuwy]|h[kmnrtu]|i[delmnoqrst]|j[emop]|k[eghimnprwyz]|l[abcikrstuvy]'
            || '|m[acdefghklmnopqrstuvwxyz]|n[acefgilopruz]|om|p[aefghklmnrstwy]|qa|r[eosuw]'
            || '|s[abcdeghijklmnorstvxyz]|t[cdfghjklmnortvwz]|u[agmsyz]|v[aceginu]|w[fs]|xk|y[et]|z[amw])$'
        )
    ),
    -- By the first letter, from a to z; last, those of other scripts. (As a map, they took longer to plan than a small
    -- hour's countries take to look up.)
    left(
        string_split(
            [
                '|abw=aw|afg=af|ago=ao|aia=ai|ala=ax|alb=al|are=ae|arg=ar|arm=am|asm=as|ata=aq|atf=tf|atg=ag|
                |aus=au|aut=at|aze=az|afghanistan=af|alandislands=ax|albania=al|algeria=dz|algerie=dz|america=us|
                |americansamoa=as|andorra=ad|angola=ao|anguilla=ai|antarctica=aq|antiguabarbuda=ag|argentina=ar|
                |armenia=am|aruba=aw|australia=au|austria=at|azerbaijan=az|',
                '|bdi=bi|bel=be|ben=bj|bes=bq|bfa=bf|bgd=bd|bgr=bg|bhr=bh|bhs=bs|bih=ba|blm=bl|blr=by|blz=bz|
                |bmu=bm|bol=bo|bra=br|brb=bb|brn=bn|btn=bt|bvt=bv|bwa=bw|bahamas=bs|bahrain=bh|bangladesh=bd|
                |barbados=bb|belarus=by|belgie=be|belgien=be|belgique=be|belgium=be|belize=bz|benin=bj|bermuda=bm|
                |bharat=in|bhutan=bt|bolivarianrepublicvenezuela=ve|bolivia=bo|boliviaplurinationalstate=bo|
                |bonairesinteustatiussaba=bq|bosniaherzegovina=ba|botswana=bw|bouvetisland=bv|brasil=br|brazil=br|
                |britain=gb|britishindianoceanterritory=io|britishvirginislands=vg|brunei=bn|bruneidarussalam=bn|
                |bulgaria=bg|burkinafaso=bf|burma=mm|burundi=bi|',
                '|caf=cf|can=ca|cck=cc|che=ch|chl=cl|chn=cn|civ=ci|cmr=cm|cod=cd|cog=cg|cok=ck|col=co|com=km|
                |cpv=cv|cri=cr|cub=cu|cuw=cw|cxr=cx|cym=ky|cyp=cy|cze=cz|caboverde=cv|cambodia=kh|cameroon=cm|
                |canada=ca|capeverde=cv|caribbeannetherlands=bq|caymanislands=ky|centralafricanrepublic=cf|
                |ceskarepublika=cz|cesko=cz|chad=td|chile=cl|china=cn|christmasisland=cx|cocoskeelingislands=cc|
                |colombia=co|comoros=km|congo=cg|congobrazzaville=cg|congodemocraticrepublic=cd|congokinshasa=cd|
                |cookislands=ck|costarica=cr|cotedivoire=ci|croatia=hr|cuba=cu|curacao=cw|cyprus=cy|czechia=cz|
                |czechrepublic=cz|',
                '|deu=de|dji=dj|dma=dm|dnk=dk|dom=do|dza=dz|danmark=dk|democraticpeoplesrepublickorea=kp|
                |democraticrepubliccongo=cd|denmark=dk|deutschland=de|djibouti=dj|dominica=dm|
                |dominicanrepublic=do|drcongo=cd|',
                '|ecu=ec|egy=eg|eri=er|esh=eh|esp=es|est=ee|eth=et|easttimor=tl|ecuador=ec|eesti=ee|egypt=eg|
                |eire=ie|elsalvador=sv|emirates=ae|england=gb|equatorialguinea=gq|eritrea=er|espana=es|
                |estadosunidos=us|estonia=ee|eswatini=sz|etatsunis=us|ethiopia=et|',
                '|fin=fi|fji=fj|flk=fk|fra=fr|fro=fo|fsm=fm|falklandislands=fk|falklandislandsmalvinas=fk|
                |faroeislands=fo|federatedstatesmicronesia=fm|fiji=fj|finland=fi|france=fr|frenchguiana=gf|
                |frenchpolynesia=pf|frenchsouthernterritories=tf|',
                '|gab=ga|gbr=gb|geo=ge|ggy=gg|gha=gh|gib=gi|gin=gn|glp=gp|gmb=gm|gnb=gw|gnq=gq|grc=gr|grd=gd|
                |grl=gl|gtm=gt|guf=gf|gum=gu|guy=gy|gabon=ga|gambia=gm|georgia=ge|germany=de|ghana=gh|
                |gibraltar=gi|greatbritain=gb|greece=gr|greenland=gl|grenada=gd|guadeloupe=gp|guam=gu|
                |guatemala=gt|guernsey=gg|guinea=gn|guineabissau=gw|guyana=gy|',
                '|hkg=hk|hmd=hm|hnd=hn|hrv=hr|hti=ht|hun=hu|haiti=ht|heardislandmcdonaldislands=hm|
                |heardmcdonaldislands=hm|hellas=gr|holland=nl|holyseevaticancitystate=va|honduras=hn|hongkong=hk|
                |hongkongsarchina=hk|hrvatska=hr|hungary=hu|',
                '|idn=id|imn=im|ind=in|iot=io|irl=ie|irn=ir|irq=iq|isl=is|isr=il|ita=it|iceland=is|india=in|
                |indonesia=id|iran=ir|iranislamicrepublic=ir|iraq=iq|ireland=ie|islamicrepubliciran=ir|island=is|
                |isleman=im|israel=il|italia=it|italy=it|ivorycoast=ci|',
                '|jam=jm|jey=je|jor=jo|jpn=jp|jamaica=jm|japan=jp|jersey=je|jordan=jo|',
                '|kaz=kz|ken=ke|kgz=kg|khm=kh|kir=ki|kna=kn|kor=kr|kwt=kw|kazakhstan=kz|kenya=ke|
                |kingdomsaudiarabia=sa|kiribati=ki|koreademocraticpeoplesrepublic=kp|korearepublic=kr|kosovo=xk|
                |ksa=sa|kuwait=kw|kyrgyzstan=kg|',
                '|lao=la|lbn=lb|lbr=lr|lby=ly|lca=lc|lie=li|lka=lk|lso=ls|ltu=lt|lux=lu|lva=lv|
                |laopeoplesdemocraticrepublic=la|laos=la|latvia=lv|latvija=lv|lebanon=lb|lesotho=ls|letzebuerg=lu|
                |liberia=lr|libya=ly|liechtenstein=li|lietuva=lt|lithuania=lt|luxembourg=lu|',
                '|mac=mo|maf=mf|mar=ma|mco=mc|mda=md|mdg=mg|mdv=mv|mex=mx|mhl=mh|mkd=mk|mli=ml|mlt=mt|mmr=mm|
                |mne=me|mng=mn|mnp=mp|moz=mz|mrt=mr|msr=ms|mtq=mq|mus=mu|mwi=mw|mys=my|myt=yt|macao=mo|
                |macaosarchina=mo|macau=mo|macedonia=mk|madagascar=mg|magyarorszag=hu|malawi=mw|malaysia=my|
                |maldives=mv|mali=ml|malta=mt|maroc=ma|marshallislands=mh|martinique=mq|mauritania=mr|
                |mauritius=mu|mayotte=yt|mexico=mx|micronesia=fm|micronesiafederatedstates=fm|moldova=md|
                |moldovarepublic=md|monaco=mc|mongolia=mn|montenegro=me|montserrat=ms|morocco=ma|mozambique=mz|
                |myanmar=mm|myanmarburma=mm|',
                '|nam=na|ncl=nc|ner=ne|nfk=nf|nga=ng|nic=ni|niu=nu|nld=nl|nor=no|npl=np|nru=nr|nzl=nz|namibia=na|
                |nauru=nr|nederland=nl|nepal=np|netherlands=nl|newcaledonia=nc|newzealand=nz|nicaragua=ni|
                |niger=ne|nigeria=ng|nippon=jp|niue=nu|noreg=no|norfolkisland=nf|norge=no|northernireland=gb|
                |northernmarianaislands=mp|northkorea=kp|northmacedonia=mk|norway=no|',
                '|omn=om|oman=om|osterreich=at|',
                '|pak=pk|pan=pa|pcn=pn|per=pe|phl=ph|plw=pw|png=pg|pol=pl|pri=pr|prk=kp|prt=pt|pry=py|pse=ps|
                |pyf=pf|pakistan=pk|palau=pw|palestine=ps|palestinestate=ps|palestinianterritories=ps|panama=pa|
                |papuanewguinea=pg|paraguay=py|peoplesrepublicchina=cn|peru=pe|philippines=ph|pilipinas=ph|
                |pitcairn=pn|pitcairnislands=pn|plurinationalstatebolivia=bo|poland=pl|polska=pl|portugal=pt|
                |provincechinataiwan=tw|puertorico=pr|',
                '|qat=qa|qatar=qa|',
                '|reu=re|rou=ro|rus=ru|rwa=rw|reinounido=gb|republiccongo=cg|republicireland=ie|republickorea=kr|
                |republicmoldova=md|reunion=re|romania=ro|royaumeuni=gb|russia=ru|russianfederation=ru|rwanda=rw|',
                '|sau=sa|sdn=sd|sen=sn|sgp=sg|sgs=gs|shn=sh|sjm=sj|slb=sb|sle=sl|slv=sv|smr=sm|som=so|spm=pm|
                |srb=rs|ssd=ss|stp=st|sur=sr|svk=sk|svn=si|swe=se|swz=sz|sxm=sx|syc=sc|syr=sy|saintbarthelemy=bl|
                |sainthelenaascensiontristandacunha=sh|saintkittsnevis=kn|saintlucia=lc|saintmartinfrenchpart=mf|
                |saintpierremiquelon=pm|saintvincentgrenadines=vc|samoa=ws|sanmarino=sm|saotomeprincipe=st|
                |saudiarabia=sa|schweiz=ch|scotland=gb|senegal=sn|serbia=rs|seychelles=sc|shqiperia=al|
                |sierraleone=sl|singapore=sg|sintmaarten=sx|sintmaartendutchpart=sx|slovakia=sk|slovenia=si|
                |slovenija=si|slovensko=sk|solomonislands=sb|somalia=so|southafrica=za|
                |southgeorgiasouthsandwichislands=gs|southkorea=kr|southsudan=ss|spain=es|srbija=rs|srilanka=lk|
                |statepalestine=ps|stbarthelemy=bl|sthelena=sh|stkittsnevis=kn|stlucia=lc|stmartin=mf|
                |stpierremiquelon=pm|stvincentgrenadines=vc|sudan=sd|suisse=ch|suomi=fi|suriname=sr|
                |svalbardjanmayen=sj|sverige=se|svizzera=ch|swaziland=sz|sweden=se|switzerland=ch|syria=sy|
                |syrianarabrepublic=sy|',
                '|tca=tc|tcd=td|tgo=tg|tha=th|tjk=tj|tkl=tk|tkm=tm|tls=tl|ton=to|tto=tt|tun=tn|tur=tr|tuv=tv|
                |twn=tw|tza=tz|taiwan=tw|taiwanprovincechina=tw|tajikistan=tj|tanzania=tz|
                |tanzaniaunitedrepublic=tz|thailand=th|timorleste=tl|togo=tg|tokelau=tk|tonga=to|
                |trinidadtobago=tt|tunisia=tn|tunisie=tn|turkey=tr|turkiye=tr|turkmenistan=tm|
                |turkscaicosislands=tc|tuvalu=tv|',
                '|uga=ug|ukr=ua|umi=um|ury=uy|usa=us|uzb=uz|uae=ae|uganda=ug|ukraine=ua|unitedarabemirates=ae|
                |unitedkingdom=gb|unitedrepublictanzania=tz|unitedstates=us|unitedstatesamerica=us|
                |unitedstatesminoroutlyingislands=um|uruguay=uy|usoutlyingislands=um|usvirginislands=vi|
                |uzbekistan=uz|',
                '|vat=va|vct=vc|ven=ve|vgb=vg|vir=vi|vnm=vn|vut=vu|vanuatu=vu|vatican=va|vaticancity=va|
                |venezuela=ve|venezuelabolivarianrepublic=ve|vereinigteskonigreich=gb|vereinigtestaaten=us|
                |vietnam=vn|virginislandsbritish=vg|virginislandsus=vi|',
                '|wlf=wf|wsm=ws|wales=gb|wallisfutuna=wf|westernsahara=eh|',
                '|xkx=xk|',
                '|yem=ye|yemen=ye|',
                '|zaf=za|zmb=zm|zwe=zw|zambia=zm|zimbabwe=zw|',
                '|ελλαδα=gr|българия=bg|казахстан=kz|россия=ru|србија=rs|украіна=ua|қазақстан=kz|ישראל=il|
                |الاردن=jo|الامارات=ae|الاماراتالعربيةالمتحدة=ae|البحرين=bh|الجزاير=dz|السعودية=sa|العراق=iq|
                |الكويت=kw|المغرب=ma|المملكةالعربيةالسعودية=sa|ایران=ir|تونس=tn|عمان=om|قطر=qa|لبنان=lb|مصر=eg|
                |پاکستان=pk|भरत=in|ประเทศไทย=th|中国=cn|台湾=tw|台灣=tw|日本=jp|香港=hk|대한민국=kr|한국=kr|'
            ][least(ord(place_key(text)) - 96, 27)],
            '|' || place_key(text) || '='
        )[2],
        2
    )
);

create or replace macro hashed_country(text) as coalesce(given_digest(text), sha256(country_code(text)));
